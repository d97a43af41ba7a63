// Step 2: curation. Every document gets a decision; where the dirt is the demo's own, the decisions are scored against the truth.
import type { TextDocument } from '@weft/contracts'
import { ConfigError } from '@weft/contracts'
import { curate, summarizeCuration, type CurationSummary, type Edit, type Step } from '@weft/curation'
import { blocklist, c4Quality, exactDeduplicate, gopherQuality, gopherRepetition, minHashDeduplicate, redactPersonalData } from '@weft/curation/steps'
import { rudeWords, scoreCuration } from '../corpus/dirt.ts'
import type { DemoContext } from '../context.ts'
import { nextTurn } from '../next-turn.ts'
import { excerpt, formatNumber } from '../terminal.ts'
import type { Collected } from './collect.ts'

export interface Cleaned {
  /** What models are trained on. */
  readonly training: readonly TextDocument[]
  /** Never trained on: for validation and scores. Split after deduplication, so that no near-copy stands on both sides. */
  readonly heldOut: readonly TextDocument[]
  readonly summary: CurationSummary
  readonly score?: ReturnType<typeof scoreCuration>
  /** A few, before and after; only of the demo's invented data, never of a person's own texts. */
  readonly redactions: readonly { readonly before: string; readonly after: string }[]
}

/**
 * Rules for prose in documents of one line: C4's line rules would see the whole document as a line, so its sentence count is lowered; speeches
 * full of sums of money and dialogue full of dashes have fewer words with a letter than web pages.
 */
export const curationSteps = (): Step[] => [
  gopherQuality({ minWords: 40, minAlphabeticWords: 0.65 }),
  gopherRepetition(),
  c4Quality({ minSentences: 2 }),
  blocklist({ words: rudeWords, rule: 'rude' }),
  exactDeduplicate(),
  minHashDeduplicate(),
  redactPersonalData(),
]

export const clean = async (context: DemoContext, collected: Collected): Promise<Cleaned> => {
  const { run, terminal } = context
  terminal.heading(2, 'Curate', 'Quality rules, a blocklist, exact and near-duplicates, personal data: a decision with its reason for every document.')
  if (run.has('cleaned')) return show(context, run.load<Cleaned>('cleaned'))
  const summary = summarizeCuration({ exampleLength: 90 })
  const kept: TextDocument[] = []
  const droppedIds = new Set<string>()
  const redactions = new Map<string, { before: string; after: string }>() // one of each kind
  const originals = new Map(collected.truth === undefined ? [] : collected.documents.map(({ id, text }) => [id, text]))
  const bar = terminal.bar('curating', collected.documents.length, 'documents')
  let decided = 0
  for await (const item of curate({ documents: fromArray(collected.documents), steps: curationSteps(), seed: context.seed, signal: context.signal })) {
    summary.add(item)
    if (item.decision.kept) kept.push(item.document)
    else droppedIds.add(item.document.id)
    const original = originals.get(item.document.id)
    const [edit, second] = item.decision.kept ? item.decision.edits : []
    if (original !== undefined && edit?.step === 'redactPersonalData' && second === undefined) redactions.set(edit.replacement, aroundEdit(original, edit))
    if (decided % 16 === 0) await nextTurn()
    bar.update(++decided, `${formatNumber(droppedIds.size)} dropped`)
  }
  bar.end()
  const score = collected.truth === undefined ? undefined : scoreCuration(collected.truth, { droppedIds, keptTexts: new Map(kept.map(({ id, text }) => [id, text])), total: collected.documents.length })
  const cleaned = { ...splitOff(kept, context.size.evaluationDocuments), summary: summary.summary(), redactions: [...redactions.values()], ...(score === undefined ? {} : { score }) }
  await run.save('cleaned', cleaned)
  return show(context, cleaned)
}

async function* fromArray<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

/** Some words before an edit, and the edit. */
const aroundEdit = (text: string, { span: [start, end], replacement }: Edit): { before: string; after: string } => {
  const lead = `…${text.slice(Math.max(0, start - 28), start)}`
  return { before: `${lead}${text.slice(start, end)}`, after: `${lead}${replacement}` }
}

/** Every n-th document is held out, evenly over the corpus. */
const splitOff = (kept: readonly TextDocument[], wanted: number): { training: TextDocument[]; heldOut: TextDocument[] } => {
  if (kept.length < 4) throw new ConfigError(`only ${kept.length} documents of some 1,500 characters are left after curation; the demo needs at least 4. Give it more text`)
  const every = Math.max(2, Math.floor(kept.length / Math.min(wanted, Math.ceil(kept.length / 4))))
  return { training: kept.filter((_, i) => i % every !== 0), heldOut: kept.filter((_, i) => i % every === 0) }
}

const show = ({ terminal, run }: DemoContext, cleaned: Cleaned): Cleaned => {
  const { summary, score } = cleaned
  terminal.line(`   kept ${formatNumber(summary.kept.documents)} of ${formatNumber(summary.documents)} documents, ${formatNumber(summary.kept.edited)} of them edited; ${formatNumber(cleaned.heldOut.length)} held out for scores`)
  terminal.table(
    ['dropped by', 'documents', 'for example'],
    summary.drops.map(({ rule, step, documents, example }) => [rule ?? step, documents, excerpt(example.text, 60)]),
  )
  if (summary.edits.length > 0) terminal.line(`   edited: ${summary.edits.map(({ step, edits }) => `${formatNumber(edits)} × ${step}`).join(', ')}`)
  if (cleaned.redactions.length > 0) terminal.table(['redacted, before', 'after'], cleaned.redactions.map(({ before, after }) => [before, after]))
  if (score !== undefined) {
    terminal.line(`   against the truth: ${(100 * score.recall).toFixed(1)} % of the dirt was found, ${(100 * score.precision).toFixed(1)} % of what was dropped was dirt (${score.wronglyDropped} clean documents dropped)`)
    terminal.table(['made by the demo', 'pieces', 'found'], score.scores.map(({ kind, made, found }) => [kind, made, found]))
  }
  terminal.file(run.file('steps', 'cleaned.json'))
  return cleaned
}
