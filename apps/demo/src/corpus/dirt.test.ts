import { expect, test } from 'vitest'
import { addDirt, scoreCuration } from './dirt.ts'

const clean = Array.from({ length: 200 }, (_, i) => ({ id: `c${i}`, text: `Document number ${i} speaks of rivers, roads and harbours. `.repeat(20) }))

test('the same seed makes the same dirt, and every piece is in the truth', () => {
  const { documents, truth } = addDirt(clean, 4)
  expect(addDirt(clean, 4)).toEqual({ documents, truth })
  const made = documents.filter(({ source }) => source === 'made by the demo')
  expect(made.map(({ id }) => id).sort()).toEqual(Object.keys(truth.drops).sort())
  for (const [id, [data]] of Object.entries(truth.personal)) expect(documents.find((document) => document.id === id)!.text).toContain(data)
})

test('a perfect curation scores 1, an idle one 0, and mistakes cost precision', () => {
  const { documents, truth } = addDirt(clean, 4)
  const ids = new Set(Object.keys(truth.drops))
  const kept = new Map(documents.filter(({ id }) => !ids.has(id)).map(({ id, text }) => [id, (truth.personal[id] ?? []).reduce((t, data) => t.replace(data, 'X'), text)]))
  const perfect = scoreCuration(truth, { droppedIds: ids, keptTexts: kept, total: documents.length })
  expect(perfect).toMatchObject({ precision: 1, recall: 1, wronglyDropped: 0 })
  expect(perfect.scores.every(({ made, found }) => made === found && made > 0)).toBe(true)
  const idle = scoreCuration(truth, { droppedIds: new Set(), keptTexts: new Map(documents.map(({ id, text }) => [id, text])), total: documents.length })
  expect(idle.recall).toBe(0)
  const untouched = documents.find(({ id }) => truth.drops[id] === undefined && !Object.values(truth.drops).some(({ of }) => of === id))!
  expect(scoreCuration(truth, { droppedIds: new Set([...ids, untouched.id]), keptTexts: kept, total: documents.length }).wronglyDropped).toBe(1)
})
