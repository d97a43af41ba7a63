// What `curate` did, as a report.
import type { Report, Section } from '@weft/contracts'
import type { CurationCount, CurationSummary } from './curation-summary.ts'

const percent = (part: number, whole: number): string => (whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`)
const group = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 1 })
const short = (value: number): number => Number(value.toPrecision(4))

/** Tables and a plot of what was dropped and edited, with an example of each. */
export const describeCuration = (summary: CurationSummary, options: { readonly title?: string } = {}): Report => {
  const { kept, dropped, documents, drops, edits } = summary
  const sections: Section[] = [
    {
      kind: 'text',
      title: 'In short',
      markdown:
        `${group(documents)} documents came in; ${group(kept.documents - kept.added)} stayed (${percent(kept.documents - kept.added, documents)}), ${group(dropped.documents)} were dropped` +
        `${kept.added > 0 ? `, ${group(kept.added)} copies were added` : ''}. ${group(kept.edited)} of the documents that stayed were edited. What is left has ${group(kept.characters)} characters` +
        ` and a total weight of ${group(kept.weight)}.`,
    },
  ]
  if (drops.length > 0) sections.push(dropTable(drops, documents), dropPlot(drops), examples('Dropped, for example', drops))
  if (edits.length > 0) sections.push(editTable(edits), examples('Edited, for example', edits))
  return { title: options.title ?? 'Curation', sections }
}

const dropTable = (drops: readonly CurationCount[], documents: number): Section => ({
  kind: 'table',
  title: 'Dropped, by rule',
  columns: ['step', 'rule', 'documents', 'of all', 'characters'],
  rows: drops.map(({ step, rule, documents: count, characters }) => [step, rule, count, percent(count, documents), characters]),
})

const dropPlot = (drops: readonly CurationCount[]): Section => ({
  kind: 'bar',
  title: 'Documents dropped',
  xLabel: 'rule',
  yLabel: 'documents',
  series: [{ name: 'dropped', points: drops.map(({ rule, documents }) => ({ x: rule ?? '', y: documents })) }],
})

const editTable = (edits: readonly CurationCount[]): Section => ({
  kind: 'table',
  title: 'Edited, by step',
  columns: ['step', 'documents', 'edits'],
  rows: edits.map(({ step, documents, edits: count }) => [step, documents, count]),
})

const examples = (title: string, counts: readonly CurationCount[]): Section => ({
  kind: 'samples',
  title,
  items: counts.map(({ step, rule, example }) => ({
    title: rule === null ? `${step}: ${example.documentId}` : `${step} · ${rule}: ${example.documentId}`,
    text: example.text,
    tags: [
      ...(example.value === undefined || example.threshold === undefined ? [] : [`value ${short(example.value)}`, `threshold ${short(example.threshold)}`]),
      ...(example.match ? [`like ${example.match.documentId}`] : []),
      ...(example.replacement === undefined ? [] : [`with ${example.replacement}`]),
    ],
  })),
})
