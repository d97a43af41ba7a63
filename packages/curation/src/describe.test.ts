import { expect, test } from 'vitest'
import type { Report, TextDocument } from '@weft/contracts'
import { auditBias } from './bias-audit.ts'
import { counterfactualAugment } from './counterfactual-augment.ts'
import { curate } from './curate.ts'
import { summarizeCuration } from './curation-summary.ts'
import { dataCard } from './data-card.ts'
import { describeAudit } from './describe-audit.ts'
import { describeCuration } from './describe-curation.ts'
import { exactDeduplicate, gopherQuality, redactPersonalData } from './steps.ts'

const steps = [exactDeduplicate(), redactPersonalData(), gopherQuality({ minWords: 3 }), counterfactualAugment()]
const long = 'The nurse said that she will be there to help those with a cold. Mail to x@y.com.'
const documents: TextDocument[] = [
  { id: 'a', text: long },
  { id: 'b', text: long },
  { id: 'c', text: 'Too short' },
  { id: 'd', text: 'So what have we to say of the rain, and of the snow that fell? It was cold.' },
]

const summarize = async () => {
  const counts = summarizeCuration({ exampleLength: 60 })
  for await (const item of curate({ documents, steps })) counts.add(item)
  return counts.summary()
}
const kinds = (report: Report): string[] => report.sections.map(({ kind, title }) => `${kind}: ${title}`)

test('the summary counts what came, went and was added', async () => {
  const summary = await summarize()
  expect(summary).toMatchObject({
    documents: 4,
    kept: { documents: 3, added: 1, edited: 2, weight: 3 },
    dropped: { documents: 2, characters: long.length + 9 },
    drops: [
      { step: 'exactDeduplicate', rule: 'exact_duplicate', documents: 1, characters: long.length, example: { documentId: 'b', match: { documentId: 'a', similarity: 1 } } },
      { step: 'gopherQuality', rule: 'gopher_short_doc', documents: 1, example: { documentId: 'c', text: 'Too short', value: 2, threshold: 3 } },
    ],
    edits: [{ step: 'redactPersonalData', documents: 2, edits: 2, example: { replacement: 'email@example.com' } }, { step: 'counterfactualAugment', documents: 1, edits: 1 }],
  })
  expect(JSON.parse(JSON.stringify(summary))).toEqual(summary)
  expect(summary.drops[0]!.example.text.length).toBeLessThanOrEqual(61)
})

test('the report has counts, a plot and examples', async () => {
  const report = describeCuration(await summarize())
  expect(kinds(report)).toEqual([
    'text: In short', 'table: Dropped, by rule', 'bar: Documents dropped', 'samples: Dropped, for example', 'table: Edited, by step', 'samples: Edited, for example',
  ])
  expect(report.sections[0]).toMatchObject({ markdown: expect.stringContaining('4 documents came in; 2 stayed (50.0 %), 2 were dropped, 1 copies were added') })
  expect(report.sections[1]).toMatchObject({ rows: [['exactDeduplicate', 'exact_duplicate', 1, '25.0 %', long.length], ['gopherQuality', 'gopher_short_doc', 1, '25.0 %', 9]] })
})

test('nothing in, nothing to say', () => {
  expect(kinds(describeCuration(summarizeCuration().summary()))).toEqual(['text: In short'])
})

test('the audit as a report, and rows as wide as their heads', async () => {
  const audit = await auditBias([...documents, { id: 'e', text: 'He is a soldier, his wife a nurse.', metadata: { year: 1 } }], { by: 'year', minCount: 1 })
  const report = describeAudit(audit)
  expect(kinds(report)).toEqual([
    'text: How to read this', 'table: Pronouns', 'table: Mentions by gender', 'heatMap: Associations by gender (PMI in nats; 0 where there are none)',
    'bar: female (above 0) or male (below 0)', 'table: Words nearer to female or male', 'line: Female share of pronouns by year', 'table: Pronouns by year',
  ])
  const widths = report.sections.flatMap((section) =>
    section.kind === 'table' ? section.rows.map((row) => [row.length, section.columns.length]) : section.kind === 'heatMap' ? section.values.map((row) => [row.length, section.columns.length]) : [],
  )
  expect(widths.map(([row]) => row)).toEqual(widths.map(([, head]) => head))
  expect(JSON.parse(JSON.stringify(report))).toEqual(report)
})

test('the card says what is known and what is not', async () => {
  const summary = await summarize()
  const card = dataCard({
    name: 'tiny', description: 'For a test.', version: '1', languages: ['en'], seed: 3, steps, summary, audit: await auditBias(documents), intendedUses: ['tests'],
    sources: [{ name: 'made up', license: 'CC0-1.0', documents: 4 }], notes: { contact: 'nobody' },
  })
  expect(card.title).toBe('Data card: tiny')
  expect(card.sections[0]).toMatchObject({ markdown: expect.stringContaining('3 documents') })
  const table = card.sections.find(({ title }) => title === 'Steps (seed 3)')
  expect(table).toMatchObject({ rows: [['exactDeduplicate', 'compare "text"'], ['redactPersonalData', expect.stringContaining('onlyPublicIpAddresses true')], ['gopherQuality', expect.stringContaining('minWords 3')], ['counterfactualAugment', expect.any(String)]] })
  const bare = dataCard({ name: 'bare' })
  expect(kinds(bare)).toEqual(['text: What it is', 'text: Sources', 'text: Intended uses', 'text: Limitations'])
  expect(bare.sections[3]).toMatchObject({ markdown: 'Not stated.' })
})
