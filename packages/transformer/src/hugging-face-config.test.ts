import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from '@weft/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseModelConfig, toHuggingFaceConfig } from './hugging-face-config.ts'
import { modelConfig, type ModelConfigOptions } from './model-config.ts'

const fixture = (path: string): Record<string, Json> =>
  JSON.parse(readFileSync(join(import.meta.dirname, '..', 'test', 'fixtures', path), 'utf8')) as Record<string, Json>

const llama = fixture('llama-tied/config.json')

test('GPT-2 in both spellings', () => {
  const config = parseModelConfig(fixture('gpt2/config.json'))
  expect(config).toEqual({
    family: 'gpt2',
    vocabSize: 128,
    contextLength: 64,
    dModel: 32,
    numLayers: 3,
    numHeads: 4,
    numKvHeads: 4,
    headDim: 8,
    dFf: 128,
    norm: { kind: 'layerNorm', epsilon: 1e-3 },
    activation: 'geluTanh',
    isGated: false,
    positions: { kind: 'learned' },
    tieEmbeddings: true,
    biases: { attention: true, feedForward: true },
    dropout: { embedding: 0, attention: 0, residual: 0 },
    initializerRange: 0.02,
    beginId: 0,
    endIds: [0],
  })
  expect(parseModelConfig(fixture('gpt2/config.legacy.json'))).toEqual(config)
})

test('Llama in both spellings', () => {
  const config = parseModelConfig(llama)
  expect(config).toMatchObject({ family: 'llama', numHeads: 4, numKvHeads: 2, headDim: 8, dFf: 80, tieEmbeddings: true, positions: { kind: 'rotary', theta: 10_000 }, beginId: 1, endIds: [2] })
  expect(parseModelConfig(fixture('llama-tied/config.legacy.json'))).toEqual(config)
})

test('llama3 rope scaling in both spellings', () => {
  const scaling = { rope_type: 'llama3', factor: 4, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 32 }
  const { rope_parameters: _, ...rest } = llama
  const expected = { kind: 'rotary', theta: 500, scaling: { kind: 'llama3', factor: 4, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContextLength: 32 } }
  expect(parseModelConfig({ ...rest, rope_parameters: { ...scaling, rope_theta: 500 } }).positions).toEqual(expected)
  expect(parseModelConfig({ ...rest, rope_theta: 500, rope_scaling: scaling }).positions).toEqual(expected)
  expect(parseModelConfig({ ...rest, rope_theta: 500, rope_scaling: null }).positions).toEqual({ kind: 'rotary', theta: 500 })
})

test('a configuration survives being written and read', () => {
  const sizes = fc.record({
    family: fc.constantFrom('gpt2' as const, 'llama' as const),
    vocabSize: fc.integer({ min: 4, max: 70_000 }),
    contextLength: fc.integer({ min: 1, max: 9000 }),
    width: fc.integer({ min: 1, max: 20 }),
    numLayers: fc.integer({ min: 1, max: 40 }),
    numKvHeads: fc.integer({ min: 1, max: 4 }),
    groups: fc.integer({ min: 1, max: 3 }),
    tieEmbeddings: fc.boolean(),
    biases: fc.record({ attention: fc.boolean(), feedForward: fc.boolean() }),
    endIds: fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
  })
  fc.assert(
    fc.property(sizes, ({ width, groups, biases, numKvHeads, ...rest }) => {
      const numHeads = numKvHeads * groups
      const own = rest.family === 'llama' ? { numKvHeads, biases, dropout: { embedding: 0.1, attention: 0, residual: 0.2 } } : {}
      const config = modelConfig({ ...rest, ...own, numHeads, dModel: 2 * width * numHeads })
      expect(parseModelConfig(JSON.parse(JSON.stringify(toHuggingFaceConfig(config))) as Json)).toEqual(config)
    }),
  )
})

test('a field that may change the numbers is named; one that cannot is passed over', () => {
  expect(() => parseModelConfig({ ...llama, logit_scale: 0.5, final_softcap: 30 })).toThrow(/unknown fields.*logit_scale = 0.5, final_softcap = 30/)
  expect(() => parseModelConfig({ ...llama, quantization_config: { bits: 4 } })).toThrow(/quantization_config/)
  expect(parseModelConfig({ ...llama, some_feature: false, other: null, empty: {}, _attn_implementation: 'eager', id2label: { 0: 'a' } })).toEqual(parseModelConfig(llama))
})

test.each<[string, Record<string, Json>, RegExp]>([
  ['another family', { model_type: 'mamba' }, /model_type "mamba" is not supported; only gpt2, llama/],
  ['a missing size', { vocab_size: null }, /vocab_size must be a number, got nothing/],
  ['a size that is no integer', { hidden_size: 32.5 }, /hidden_size must be an integer/],
  ['heads that do not divide', { num_key_value_heads: 3 }, /numKvHeads must be a divisor of numHeads 4, got 3/],
  ['another rope', { rope_parameters: { rope_type: 'yarn', rope_theta: 1, factor: 4 } }, /rope_type "yarn" is not supported/],
  ['an unknown rope field', { rope_parameters: { rope_type: 'default', rope_theta: 1, mscale: 2 } }, /mscale/],
  ['an activation', { hidden_act: 'relu6' }, /hidden_act "relu6"/],
  ['a huge vocabulary', { vocab_size: 2 ** 40 }, /vocabSize must be an integer from 1/],
])('%s is refused', (_, change, message) => {
  expect(() => parseModelConfig({ ...llama, ...change })).toThrow(message)
})

test.each<[Partial<ModelConfigOptions>, RegExp]>([
  [{ dModel: 30 }, /headDim must be an integer/],
  [{ vocabSize: 0 }, /vocabSize/],
  [{ endIds: [99] }, /endIds\[0\] must be a token id below vocabSize 16, got 99/],
  [{ positions: { kind: 'learned' } }, /family llama needs rotary positions/],
  [{ dropout: { embedding: 1, attention: 0, residual: 0 } }, /dropout.embedding must be a number in \[0, 1\)/],
  [{ family: 'toString' as 'llama' }, /family must be one of gpt2, llama/],
])('modelConfig refuses %j', (change, message) => {
  expect(() => modelConfig({ family: 'llama', vocabSize: 16, contextLength: 8, dModel: 32, numLayers: 1, numHeads: 4, ...change })).toThrow(message)
})
