// Step 3: who is spoken of, before and after mitigation. Each document with gendered words gets a counterpart with them swapped.
import type { TextDocument } from '@weft/contracts'
import { auditBias, counterfactualAugment, curate, type BiasReport } from '@weft/curation'
import type { DemoContext } from '../context.ts'
import { formatNumber } from '../terminal.ts'
import type { Cleaned } from './clean.ts'

export interface Audited {
  readonly before: BiasReport
  readonly after: BiasReport
  /** The training documents and their counterparts. */
  readonly mitigated: readonly TextDocument[]
}

export const audit = async (context: DemoContext, { training }: Cleaned): Promise<Audited> => {
  const { run, terminal, signal } = context
  terminal.heading(3, 'Audit and mitigate', 'Mentions and company of groups of people; then gendered words swapped in a copy of each document (counterfactual augmentation).')
  if (run.has('audited')) return show(context, run.load<Audited>('audited'))
  const before = await auditBias(training, { signal })
  const mitigated: TextDocument[] = []
  const bar = terminal.bar('augmenting', training.length, 'documents')
  for await (const { document } of curate({ documents: fromArray(training), steps: [counterfactualAugment({ mode: 'both' })], signal })) {
    mitigated.push(document)
    bar.update(Math.min(training.length, mitigated.length))
  }
  bar.end()
  const audited = { before, after: await auditBias(mitigated, { signal }), mitigated }
  await run.save('audited', audited)
  return show(context, audited)
}

async function* fromArray<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

const percent = (share: number | null | undefined): string => (share === null || share === undefined ? '–' : `${(100 * share).toFixed(1)} %`)

/** The words whose company leans most to one gender, and what is left of it. */
const showCompany = (terminal: DemoContext['terminal'], before: BiasReport, after: BiasReport): void => {
  const contrastOf = (report: BiasReport) => report.families.find(({ name }) => name === 'gender')?.contrast
  const contrast = contrastOf(before)
  if (contrast === undefined) return
  const left = new Map(contrastOf(after)?.words.map(({ word, value }) => [word, value]))
  const strongest = contrast.words.filter(({ value }) => value !== null).toSorted((a, b) => Math.abs(b.value!) - Math.abs(a.value!))
  if (strongest.length === 0) return
  const times = (value: number | null | undefined): string => (value === null || value === undefined ? '–' : Math.abs(value) < 0.05 ? 'even' : `${Math.exp(Math.abs(value)).toFixed(1)} × ${contrast.groups[value >= 0 ? 0 : 1]}`)
  terminal.table(['company of', 'list', 'nearer before', 'nearer after'], strongest.slice(0, 6).map(({ word, attribute, value }) => [word ?? '', attribute, times(value), times(left.get(word))]))
}

const show = ({ terminal, run }: DemoContext, audited: Audited): Audited => {
  const { before, after } = audited
  const rows: (string | number)[][] = [['pronouns', 'female', percent(before.pronouns.femaleShare.value), percent(after.pronouns.femaleShare.value)]]
  before.families.forEach((family, f) => {
    if (family.groups.reduce((sum, { mentions }) => sum + mentions, 0) < 20) return
    const sharesAfter = new Map(after.families[f]!.groups.map((group) => [group.name, group.share.value]))
    const mentioned = family.groups.filter(({ mentions }) => mentions > 0).toSorted((a, b) => b.mentions - a.mentions)
    for (const { name, share } of mentioned.slice(0, 4)) rows.push([family.name, name, percent(share.value), percent(sharesAfter.get(name))])
  })
  terminal.table(['family', 'group', 'share before', 'share after'], rows)
  showCompany(terminal, before, after)
  terminal.line(`   ${formatNumber(audited.mitigated.length)} documents with the counterparts`)
  terminal.file(run.file('steps', 'audited.json'))
  return audited
}
