// Any checkpoint file, told by its first bytes and, where these say too little, by its name.
import { UnsupportedError } from '@weft/contracts'
import type { ByteSource } from '@weft/sources'
import { openGguf } from './gguf/open-gguf.ts'
import { openLlama2c } from './open-llama2c.ts'
import { openSafetensors } from './open-safetensors.ts'
import { openPickle } from './pickle/open-pickle.ts'
import type { WeightsFile } from './weights-file.ts'
import { openNpz } from './zip/open-npz.ts'

/**
 * Opens safetensors, GGUF, .npz, PyTorch's .pt and .bin, or llama2.c's .bin.
 * @throws UnsupportedError for what is recognisably something else; else the errors of the format's own reader.
 */
export const openWeightsSource = async (source: ByteSource, options: { readonly signal?: AbortSignal } = {}): Promise<WeightsFile> => {
  const start = await source.read(0, Math.min(source.sizeBytes, 8))
  const text = String.fromCharCode(...start)
  if (text.startsWith('GGUF')) return openGguf(source, options)
  if (text.startsWith('PK')) return /\.npz$/i.test(source.name) ? openNpz(source) : openPickle(source)
  if (start[0] === 0x80 && start[1]! >= 2 && start[1]! <= 5 && !/\.safetensors$/i.test(source.name)) return openPickle(source)
  if (start[0] === 0x93 && text.slice(1, 6) === 'NUMPY') throw new UnsupportedError(`${source.name}: this is a single .npy array; expected a checkpoint, for arrays an .npz`)
  if (text.startsWith('24ka') || (/\.bin$/i.test(source.name) && !looksLikeSafetensors(start))) return openLlama2c(source)
  return openSafetensors(source, options)
}

/** A length below 2^40, then JSON would begin: its sixth to eighth byte are 0. llama2.c has its second size there. */
const looksLikeSafetensors = (start: Uint8Array): boolean => start[5] === 0 && start[6] === 0 && start[7] === 0 && start[4] === 0
