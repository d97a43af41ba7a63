import { expect, test } from 'vitest'
import { golden } from '../../test/golden-metrics.ts'
import { rouge, rougeTokens } from './rouge.ts'

const { hyps, refs, refs2 } = golden.mt
const variants = ['rouge1', 'rouge2', 'rougeL', 'rougeLsum'] as const

test('rouge_score 0.1.2: every variant, one and two references', () => {
  const { rows, multi_refs_max, tokens } = golden.rouge.plain
  for (const [index, prediction] of hyps.entries()) {
    expect(rougeTokens(prediction)).toEqual(tokens[index])
    for (const [references, expected] of [
      [[refs[index]!], rows[index]!],
      [[refs[index]!, refs2[index]!], multi_refs_max[index]!],
    ] as const) {
      const result = rouge({ prediction, references })
      for (const variant of variants) {
        const { precision, recall, f1 } = result[variant]
        for (const [place, value] of [precision, recall, f1].entries()) expect(value).toBeCloseTo(expected[variant][place]!, 12)
      }
    }
  }
})

test('no reference is an error', () => {
  expect(() => rouge({ prediction: 'a', references: [] })).toThrow('at least one reference')
})
