// llama2.c's .bin: seven or more integers, then all matrices of a kind of all layers, one after the other. It has neither names nor
// metadata; what stands here has GGUF's, whose order of rows it shares, so that whoever loads GGUF's Llama loads this. Versions 0 (as
// first published) and 1. Layout: export.py and run.c of karpathy/llama2.c.
import { FormatError, UnsupportedError, type Json } from '@weft/contracts'
import type { ByteSource } from '@weft/sources'
import { readRange } from './read-range.ts'
import { unknownTensor } from './unknown-tensor.ts'
import type { TensorInfo, WeightsFile } from './weights-file.ts'

interface Sizes {
  readonly dim: number
  readonly hidden: number
  readonly layers: number
  readonly heads: number
  readonly kvHeads: number
  readonly vocab: number
  readonly context: number
  readonly sharesHead: boolean
}

interface Placed extends TensorInfo {
  readonly offset: number
}

const magic = 0x616b3432

/** @throws FormatError for sizes that cannot be, or that do not fill the file; UnsupportedError for the quantized version 2. */
export const openLlama2c = async (source: ByteSource): Promise<WeightsFile> => {
  if (source.sizeBytes < 256) throw new FormatError(`expected a llama2.c file, got ${source.sizeBytes} bytes`, { source: source.name })
  const start = await source.read(0, 256)
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength)
  const isVersioned = view.getUint32(0, true) === magic
  const version = isVersioned ? view.getInt32(4, true) : 0
  if (version !== 0 && version !== 1) throw new UnsupportedError(`${source.name}: llama2.c version ${version} is not supported; only 0 and 1`)
  const sizes = readSizes(source, view, isVersioned)
  const placed = version === 1 ? placeVersion1(sizes) : placeVersion0(sizes)
  const end = [...placed.values()].reduce((last, { offset, sizeBytes }) => Math.max(last, offset + sizeBytes), 0)
  if (end > source.sizeBytes) throw new FormatError(`expected ${end} bytes for these sizes, the file has ${source.sizeBytes}: it is cut off, or another format`, { source: source.name })
  const tensors = new Map<string, TensorInfo>([...placed].sort((a, b) => a[1].offset - b[1].offset).map(([name, { dtype, shape, sizeBytes }]) => [name, { dtype, shape, sizeBytes }]))
  return {
    name: source.name,
    metadata: metadataOf(sizes),
    tensors,
    read: async (name, options = {}) => {
      const tensor = placed.get(name)
      if (tensor === undefined) throw unknownTensor(source.name, name, tensors)
      options.signal?.throwIfAborted()
      const { offset, length } = readRange(name, tensor, options)
      return source.read(tensor.offset + offset, length, options.into)
    },
    close: async () => source.close?.(),
  }
}

const readSizes = (source: ByteSource, view: DataView, isVersioned: boolean): Sizes => {
  const at = isVersioned ? 8 : 0
  const [dim, hidden, layers, heads, kvHeads, signedVocab, context] = Array.from({ length: 7 }, (_, i) => view.getInt32(at + 4 * i, true)) as [number, number, number, number, number, number, number]
  // Version 0 says by the sign that the head is a matrix of its own, version 1 by a byte.
  const sharesHead = isVersioned ? view.getUint8(36) !== 0 : signedVocab > 0
  const sizes = { dim, hidden, layers, heads, kvHeads, vocab: Math.abs(signedVocab), context, sharesHead }
  const isPossible = [dim, hidden, layers, heads, kvHeads, sizes.vocab, context].every((size) => size >= 1 && size <= 1 << 24)
  if (!isPossible || dim % heads !== 0 || heads % kvHeads !== 0 || (dim / heads) % 2 !== 0) {
    throw new FormatError(`expected the sizes of a model, got dim ${dim}, hidden ${hidden}, layers ${layers}, heads ${heads} and ${kvHeads}, vocabulary ${signedVocab}, context ${context}; this is another format`, { source: source.name })
  }
  return sizes
}

/** Hands out places one after the other. */
class Places {
  readonly placed = new Map<string, Placed>()
  #offset: number
  constructor(offset: number) {
    this.#offset = offset
  }
  add(name: string, shape: readonly number[]): void {
    const sizeBytes = 4 * shape.reduce((product, size) => product * size, 1)
    this.placed.set(name, { dtype: 'F32', shape, sizeBytes, offset: this.#offset })
    this.#offset += sizeBytes
  }
  everyLayer(layers: number, name: string, shape: readonly number[]): void {
    for (let i = 0; i < layers; i++) this.add(`blk.${i}.${name}.weight`, shape)
  }
  skip(values: number): void {
    this.#offset += 4 * values
  }
}

const matrices = ({ dim, hidden, heads, kvHeads }: Sizes) => {
  const kv = (dim / heads) * kvHeads
  return { attention: [['attn_q', [dim, dim]], ['attn_k', [kv, dim]], ['attn_v', [kv, dim]], ['attn_output', [dim, dim]]], feedForward: [['ffn_gate', [hidden, dim]], ['ffn_down', [dim, hidden]], ['ffn_up', [hidden, dim]]] } as const // prettier-ignore
}

const placeVersion0 = (sizes: Sizes): ReadonlyMap<string, Placed> => {
  const { dim, layers, heads, vocab, context, sharesHead } = sizes
  const places = new Places(28)
  const { attention, feedForward } = matrices(sizes)
  places.add('token_embd.weight', [vocab, dim])
  places.everyLayer(layers, 'attn_norm', [dim])
  for (const [name, shape] of attention) places.everyLayer(layers, name, shape)
  places.everyLayer(layers, 'ffn_norm', [dim])
  for (const [name, shape] of feedForward) places.everyLayer(layers, name, shape)
  places.add('output_norm.weight', [dim])
  places.skip((context * dim) / heads) // two tables of angles, which nobody reads any more
  if (!sharesHead) places.add('output.weight', [vocab, dim])
  return places.placed
}

const placeVersion1 = (sizes: Sizes): ReadonlyMap<string, Placed> => {
  const { dim, layers, vocab, sharesHead } = sizes
  const places = new Places(256)
  const { attention, feedForward } = matrices(sizes)
  places.everyLayer(layers, 'attn_norm', [dim])
  places.everyLayer(layers, 'ffn_norm', [dim])
  places.add('output_norm.weight', [dim])
  places.add('token_embd.weight', [vocab, dim])
  for (const [name, shape] of [...attention, ...feedForward]) places.everyLayer(layers, name, shape)
  if (!sharesHead) places.add('output.weight', [vocab, dim])
  return places.placed
}

const metadataOf = ({ dim, hidden, layers, heads, kvHeads, context }: Sizes): ReadonlyMap<string, Json> =>
  new Map<string, Json>([
    ['general.architecture', 'llama'],
    ['llama.context_length', context],
    ['llama.embedding_length', dim],
    ['llama.block_count', layers],
    ['llama.feed_forward_length', hidden],
    ['llama.attention.head_count', heads],
    ['llama.attention.head_count_kv', kvHeads],
    ['llama.attention.layer_norm_rms_epsilon', 1e-5],
    ['llama.rope.freq_base', 10_000],
    ['tokenizer.ggml.bos_token_id', 1],
    ['tokenizer.ggml.eos_token_id', 2],
  ])
