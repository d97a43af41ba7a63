// Every block format against the values that the Python package gguf reads out of the same bytes, to the last bit.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { tensor } from '@weft/tensor'
import { dequantize, type QuantizedFormat } from '@weft/tensor/ops'
import { backend, valuesOf } from '../../test/closeness.ts'
import { blockLayout, quantizedFormats } from './quantized-format.ts'

interface Golden {
  readonly formats: Readonly<Record<QuantizedFormat, { readonly bytes: string; readonly values: string }>>
}
const golden = JSON.parse(readFileSync(new URL('../../test/golden/quantized.json', import.meta.url), 'utf8')) as Golden

test('there are golden values for every format', () => expect(Object.keys(golden.formats).sort()).toEqual([...quantizedFormats].sort()))

test.each(quantizedFormats)('%s: the same bits as gguf', async (format) => {
  const bytes = new Uint8Array(Buffer.from(golden.formats[format].bytes, 'base64'))
  const values = new Float32Array(new Uint8Array(Buffer.from(golden.formats[format].values, 'base64')).buffer)
  const { valuesPerBlock, bytesPerBlock } = blockLayout('test', format)
  expect(values.length).toBeGreaterThan(valuesPerBlock)
  expect(bytes.length / bytesPerBlock).toBe(values.length / valuesPerBlock)
  const shape = [values.length / valuesPerBlock, valuesPerBlock]
  expect(await valuesOf(dequantize({ format, shape, packed: tensor(backend, bytes, [bytes.length]) }))).toEqual(Array.from(values))
})
