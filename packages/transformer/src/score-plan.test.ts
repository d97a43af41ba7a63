import fc from 'fast-check'
import { expect, test } from 'vitest'
import { planScoring, type ScoreUnit } from './score-plan.ts'

const unit = (index: number, input: readonly number[], wanted: number): ScoreUnit => ({ index, input: Uint32Array.from(input), targets: new Uint32Array(wanted) })

const question = Array.from({ length: 20 }, (_, i) => i)

test('the answers to one question share it, up to the first token whose prediction counts', () => {
  const batches = planScoring([unit(0, [...question, 50], 2), unit(1, [...question, 60, 61], 3), unit(2, [7, 7, 7], 1)], { maxBatchTokens: 1000 })
  const shared = batches.flat().find(({ prefixLength }) => prefixLength > 0)
  expect(shared?.units.map(({ index }) => index).sort()).toEqual([0, 1])
  expect(shared?.prefixLength).toBe(19)
})

test('every unit is in one batch, no batch of several is too large, and what is called shared is the same', () => {
  const tokens = fc.array(fc.nat(2), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(fc.array(fc.tuple(tokens, fc.nat(5)), { minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 200 }), (list, maxBatchTokens) => {
      const units = list.map(([input, wanted], i) => unit(i, input, Math.min(wanted, input.length)))
      const batches = planScoring(units, { maxBatchTokens })
      expect(batches.flatMap((batch) => batch.flatMap((group) => group.units.map(({ index }) => index))).sort((a, b) => a - b)).toEqual(units.map(({ index }) => index))
      for (const batch of batches) {
        const rows = batch.flatMap((group) => group.units.map((member) => ({ member, prefixLength: group.prefixLength })))
        const longest = Math.max(...rows.map(({ member }) => member.input.length))
        const cost = rows.length * Math.max(...rows.map(({ member, prefixLength }) => member.input.length - prefixLength))
        expect(cost).toBeLessThanOrEqual(rows.length > 1 ? Math.max(maxBatchTokens, longest) : cost)
        for (const { units: members, prefixLength } of batch) {
          for (const member of members) {
            expect(member.input.subarray(0, prefixLength)).toEqual(members[0]!.input.subarray(0, prefixLength))
            expect(prefixLength).toBeLessThanOrEqual(member.input.length - member.targets.length)
          }
        }
      }
    }),
  )
})
