import { expect, test } from 'vitest'
import { bigramLanguageModel } from '../test/bigram-language-model.ts'
import { compare } from './compare.ts'
import { describeComparison, describeEvaluation } from './describe-evaluation.ts'
import { evaluate } from './evaluate.ts'
import type { EvaluationReport } from './evaluation-report.ts'
import { modelCard } from './model-card.ts'
import type { Task } from './task.ts'
import { taskDocuments } from './task-documents.ts'

const text = 'the cat sat on the mat and the dog ran to the cat. '
const weak = bigramLanguageModel('the '.repeat(8), 'weak')
const strong = bigramLanguageModel(text.repeat(4), 'strong')

const words = ['cat', 'mat', 'dog', 'ran', 'sat', 'and', 'the', 'to', 'on', 'cat.']
const documents: Task = {
  kind: 'perplexity',
  name: 'documents',
  items: words.map((word, i) => ({ id: `d${i}`, text: `the ${word} ${words[(i * 3) % 10]!}` })),
}
const choices: Task = {
  kind: 'multipleChoice',
  name: 'choices',
  items: words.map((word) => ({ context: 'the', choices: [[...word].reverse().join(''), word], answer: 1 })),
}
const pairs: Task = {
  kind: 'stereotypePairs',
  name: 'pairs',
  items: [
    { moreStereotypical: 'the cat', lessStereotypical: 'the dog', category: 'pets' },
    { moreStereotypical: 'a', lessStereotypical: 'b', category: 'letters' },
  ],
}
const stories: Task = { kind: 'generation', name: 'stories', items: [{ prompt: 'the ' }], settings: { maxNewTokens: 12 } }
const tasks = [documents, choices, pairs, stories]

const reportOf = async (model: typeof weak, someTasks: readonly Task[] = tasks): Promise<EvaluationReport> => {
  for await (const event of evaluate({ model, tasks: someTasks })) if (event.kind === 'finished') return event.report
  throw new Error('not finished')
}

test('a better model is found better, with an interval that excludes no difference', async () => {
  const comparison = compare(await reportOf(weak), await reportOf(strong))
  const { a, b, difference, low, high, p } = comparison.tasks['documents']!.metrics['bitsPerByte']!
  expect(difference).toBeCloseTo(b! - a!, 12)
  expect(difference).toBeLessThan(0)
  expect(low! <= difference! && difference! <= high! && high! < 0).toBe(true)
  expect(p).toBe(2 ** -9) // all ten items point one way
  expect(comparison.tasks['choices']!.metrics['accuracy']!.mcNemar).toMatchObject({ onlyA: expect.any(Number), p: expect.any(Number) })
  expect(comparison.tasks['choices']!.metrics).not.toHaveProperty('expectedCalibrationError')
})

test('a model against itself: no difference, p = 1; through JSON as well', async () => {
  const report = await reportOf(strong)
  const comparison = compare(report, JSON.parse(JSON.stringify(report)) as EvaluationReport)
  for (const task of Object.values(comparison.tasks)) {
    for (const metric of Object.values(task.metrics)) expect(metric).toMatchObject({ difference: 0, low: 0, high: 0, p: 1 })
  }
})

test('only items of the same id and content are compared', async () => {
  const changed: Task = {
    ...documents,
    items: documents.items.map((item, i) => (i < 3 ? { ...item, text: 'another text' } : item)).slice(0, 8),
  } as Task
  const comparison = compare(await reportOf(strong), await reportOf(weak, [changed, { ...choices, name: 'other' }]))
  expect(comparison.tasks['documents']).toMatchObject({ numShared: 5, numDifferent: 3 })
  expect(comparison).toMatchObject({ onlyInA: ['choices', 'pairs', 'stories'], onlyInB: ['other'] })
  await expect(async () => compare(await reportOf(strong, [choices]), await reportOf(weak, [documents]))).rejects.toThrow(
    'no item in common; A has the tasks choices, B documents',
  )
  expect(() => compare({} as EvaluationReport, {} as EvaluationReport)).toThrow('expected reports of format weft-evaluation-1')
})

test('reports name every score, plot the categories and show what was written', async () => {
  const report = describeEvaluation(await reportOf(strong))
  expect(report.title).toBe('Evaluation of strong')
  expect(report.sections.map((section) => [section.kind, section.title])).toEqual([
    ['text', undefined],
    ['table', 'Scores'],
    ['bar', 'Answers right'],
    ['bar', 'pairs: pctStereotype by category'],
    ['text', undefined],
    ['samples', 'stories: generated'],
  ])
  const table = report.sections[1] as unknown as { columns: string[]; rows: unknown[][] }
  expect(table.rows.every((row) => row.length === table.columns.length)).toBe(true)
  expect(table.rows.map((row) => `${String(row[0])} ${String(row[1])}`)).toContain('documents bitsPerByte')
  const categories = report.sections[3] as unknown as { series: { points: { x: string }[] }[] }
  expect(categories.series[0]!.points.map((point) => point.x)).toEqual(['all', 'pets', 'letters'])
  const comparison = describeComparison(compare(await reportOf(weak), await reportOf(strong)))
  const differences = comparison.sections[1] as unknown as { columns: string[]; rows: unknown[][] }
  expect(differences.rows.every((row) => row.length === differences.columns.length)).toBe(true)
})

test('a model card says what it is told, scores side by side, and never nothing about limits', async () => {
  const card = modelCard({
    name: 'strong',
    description: 'A bigram.',
    license: 'MIT',
    numParameters: 1234567,
    facts: { order: 2 },
    evaluation: await reportOf(strong),
    baselines: [await reportOf(weak)],
  })
  expect(card.sections.map((section) => section.title).filter((title) => title !== undefined)).toEqual(
    expect.arrayContaining(['Facts', 'Limits and risks', 'Scores', 'Beside other models']),
  )
  expect(card.sections[1]).toMatchObject({
    rows: [
      ['parameters', '1,234,567'],
      ['licence', 'MIT'],
      ['order', 2],
    ],
  })
  const beside = card.sections.at(-1) as unknown as { columns: string[]; rows: unknown[][] }
  expect(beside.columns).toEqual(['task', 'score', 'strong', 'weak'])
  expect(
    beside.rows
      .find((row) => row[1] === 'bitsPerByte')!
      .slice(2)
      .every((value) => typeof value === 'number'),
  ).toBe(true)
  expect(modelCard({ name: 'bare' }).sections).toHaveLength(1)
})

test('the texts of tasks, for clearing training data of them', async () => {
  const found = []
  const chat: Task = {
    kind: 'generation',
    name: 'chat',
    items: [{ prompt: [{ role: 'user', content: 'Who?' }], references: ['Me.', 'I.'] }],
  }
  const continuation: Task = { kind: 'continuation', name: 'end', items: [{ context: 'to be', continuation: ' or not' }] }
  for await (const { id, text } of taskDocuments([choices, documents, pairs, continuation, chat])) found.push([id, text])
  expect(found).toHaveLength(10 + 10 + 4 + 1 + 1)
  expect(found[0]).toEqual(['choices/0', 'the cat'])
  expect(found[10]).toEqual(['documents/d0', 'the cat cat'])
  expect(found.slice(20)).toEqual([
    ['pairs/0/0', 'the cat'],
    ['pairs/0/1', 'the dog'],
    ['pairs/1/0', 'a'],
    ['pairs/1/1', 'b'],
    ['end/0', 'to be or not'],
    ['chat/0', 'Who? Me.'],
  ])
})
