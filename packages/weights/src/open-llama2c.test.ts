import { needsShared } from '@weft/fixtures'
import { bytesSource } from '@weft/sources'
import { fileSource } from '@weft/sources/node'
import { expect, test } from 'vitest'
import { openGguf } from './gguf/open-gguf.ts'
import { openLlama2c } from './open-llama2c.ts'
import { openWeightsSource } from './open-weights-source.ts'

const folder = needsShared('data/stories260k')
const asGguf = needsShared('data/stories260k-gguf/stories260K.f32.gguf')

test.skipIf(folder.missing || asGguf.missing)(`both versions hold what the GGUF file of the same model holds${folder.note}`, async () => {
  const gguf = await openGguf(await fileSource(asGguf.path))
  for (const name of ['stories260K.bin', 'checkpoint_v1.bin']) {
    const file = await openWeightsSource(await fileSource(`${folder.path}/${name}`))
    const names = [...gguf.tensors.keys()].filter((tensor) => tensor !== 'output.weight') // a second copy of the embedding
    expect([...file.tensors.keys()].sort()).toEqual(names.sort())
    for (const tensor of names) {
      const info = gguf.tensors.get(tensor)
      expect(file.tensors.get(tensor)).toEqual(info)
      expect(await file.read(tensor)).toEqual(await gguf.read(tensor))
    }
    for (const [key, value] of file.metadata) {
      const expected = gguf.metadata.get(key)
      if (expected !== undefined && typeof value === 'number' && key !== 'llama.attention.layer_norm_rms_epsilon') expect([key, expected]).toEqual([key, value])
    }
    await file.close()
  }
  await gguf.close()
})

const withSizes = (...sizes: number[]): Uint8Array => {
  const bytes = new Uint8Array(400)
  sizes.forEach((size, i) => new DataView(bytes.buffer).setInt32(4 * i, size, true))
  return bytes
}

test.each<readonly [string, Uint8Array, RegExp]>([
  ['too short', new Uint8Array(40), /got 40 bytes/],
  ['sizes that cannot be', withSizes(64, 172, 5, 7, 4, 512, 512), /expected the sizes of a model/],
  ['negative sizes', withSizes(-64, 172, 5, 8, 4, 512, 512), /expected the sizes of a model/],
  ['cut off', withSizes(64, 172, 5, 8, 4, 512, 512), /the file has 400: it is cut off/],
  ['the quantized version', withSizes(0x616b3432, 2), /version 2 is not supported/],
])('%s is refused', async (_, bytes, message) => {
  await expect(openLlama2c(bytesSource('model.bin', bytes))).rejects.toThrow(message)
})
