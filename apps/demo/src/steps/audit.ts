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

const show = ({ terminal, run }: DemoContext, audited: Audited): Audited => {
  const { before, after } = audited
  const rows: (string | number)[][] = [['pronouns', 'female', percent(before.pronouns.femaleShare.value), percent(after.pronouns.femaleShare.value)]]
  before.families.forEach((family, f) => {
    if (family.groups.reduce((sum, { mentions }) => sum + mentions, 0) < 20) return
    for (const [g, { name, share }] of family.groups.entries()) rows.push([family.name, name, percent(share.value), percent(after.families[f]!.groups[g]!.share.value)])
  })
  terminal.table(['family', 'group', 'share before', 'share after'], rows.slice(0, 16))
  terminal.line(`   ${formatNumber(audited.mitigated.length)} documents with the counterparts`)
  terminal.file(run.file('steps', 'audited.json'))
  return audited
}
