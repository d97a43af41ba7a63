import { expect, test } from 'vitest'
import { namedOps } from '@weft/tensor/ops'
import { opCases } from '../testing/op-cases.ts'

const names = new Set(namedOps.map(({ name }) => name))

/** What cases reach through another operation. */
const indirect = new Set(['halfTable', 'codeBook'])

test('every operation has sample calls, or is the backward pass of one that has', () => {
  const sampled = new Set(opCases.map(({ op }) => op.name))
  const without = [...names].filter((name) => !sampled.has(name) && !indirect.has(name) && !(name.endsWith('Backward') && sampled.has(name.slice(0, -'Backward'.length))))
  expect(without).toEqual([])
})

test('every operation runs on any backend: it has a decomposition, or is computed on the host', () => {
  for (const op of namedOps) expect(op.decompose !== undefined || op.host !== undefined, op.name).toBe(true)
})

test('one name means one operation: definitions that share it differ in what they record alone', () => {
  for (const op of namedOps) {
    const others = namedOps.filter(({ name }) => name === op.name)
    for (const other of others) expect(other.inputs).toEqual(op.inputs)
  }
  expect(namedOps.length - names.size).toBe(1) // linear, with and without an activation
})
