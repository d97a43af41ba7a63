// Step 7: measurements. Bits per byte on held-out text beside two n-gram baselines, a question of which sentence follows, the stereotype
// pairs before and after mitigation with what it cost, and how much a model repeats itself.
import { createRandomSource, type LanguageModel, type TextDocument, type Tokenizer } from '@weft/contracts'
import { ngramLanguageModel, trainNgramModel } from '@weft/curation/ngram'
import { compare, evaluate as runEvaluation, type EvaluationReport, type Task } from '@weft/evaluation'
import { defineTask, stereotypeSuite } from '@weft/evaluation/tasks'
import type { DemoContext } from '../context.ts'
import { nextTurn } from '../next-turn.ts'
import type { Cleaned } from './clean.ts'
import type { Pretrained } from './pretrain.ts'
import { lmOf, type Tuned } from './tune.ts'

export type Evaluated = Readonly<Record<'unigram' | 'fiveGram' | 'plain' | 'mitigated' | 'tuned', EvaluationReport>>

/** Which of four sentences follows? The wrong ones follow in other documents. None where the text has too few whole sentences. */
const followsTasks = (documents: readonly TextDocument[], count: number, seed: number): Task[] => {
  const random = createRandomSource({ seed }).fork('follows')
  const pairs = documents.flatMap(({ id, text }) => {
    const sentences = text.split(/(?<=[.?!])\s+/).filter((sentence) => sentence.length > 30 && sentence.length < 220)
    return sentences.length < 2 ? [] : [{ id, context: sentences[0]!, next: sentences[1]! }]
  })
  const items = pairs.slice(0, count).flatMap(({ id, context, next }, i) => {
    const others = [1, 2, 3].flatMap((step) => pairs[(i + step) % pairs.length]?.next ?? [])
    if (others.length < 3) return []
    const answer = Math.floor(random.nextFloat() * 4)
    const choices = others.map((text) => ` ${text}`)
    choices.splice(answer, 0, ` ${next}`)
    return [{ id, context, choices, answer }]
  })
  return items.length === 0 ? [] : [defineTask({ kind: 'multipleChoice', name: 'which-sentence-follows', items })]
}

const tasksOf = ({ heldOut }: Cleaned, { size, seed }: DemoContext): Task[] => {
  const suite = stereotypeSuite()
  const documents = heldOut.slice(0, size.evaluationDocuments)
  return [
    defineTask({ kind: 'perplexity', name: 'held-out-text', items: documents.map(({ id, text }) => ({ id, text })) }),
    ...followsTasks(heldOut, size.evaluationDocuments, seed),
    { ...suite, items: everyNth(suite.items, size.stereotypePairs) },
  ]
}

/** Spread over the categories. */
const everyNth = <T>(items: readonly T[], count: number): T[] => {
  const every = Math.max(1, items.length / count)
  return items.filter((_, i) => Math.floor(i / every) !== Math.floor((i - 1) / every))
}

export const evaluateAll = async (context: DemoContext, cleaned: Cleaned, tokenizer: Tokenizer, pretrained: Pretrained, tuned: Tuned): Promise<Evaluated> => {
  const { run, terminal, signal } = context
  terminal.heading(7, 'Measure', 'Held-out text, which sentence follows, and stereotypes: the two branches had equal training, so their difference is the mitigation.')
  if (!run.has('evaluated')) {
    const tasks = tasksOf(cleaned, context)
    const texts = cleaned.training.map(({ text }) => text)
    const ngram = async (order: number, name: string): Promise<LanguageModel> => ngramLanguageModel(await trainNgramModel({ texts, tokenizer, order, signal }), { name })
    const models: Record<keyof Evaluated, LanguageModel> = {
      unigram: await ngram(1, 'unigram'),
      fiveGram: await ngram(5, '5-gram, Kneser-Ney'),
      plain: { ...lmOf(pretrained.plain, tokenizer), name: 'pre-trained, without mitigation' },
      mitigated: { ...lmOf(pretrained.mitigated, tokenizer), name: 'pre-trained, with mitigation' },
      tuned: { ...lmOf(tuned.model, tokenizer), name: 'tuned assistant' },
    }
    const reports: Partial<Record<keyof Evaluated, EvaluationReport>> = {}
    for (const [key, model] of Object.entries(models) as [keyof Evaluated, LanguageModel][]) {
      reports[key] = await measure(context, model, tasks)
      model.dispose?.()
    }
    await run.save('evaluated', reports)
  }
  return show(context, run.load<Evaluated>('evaluated'))
}

const measure = async ({ terminal, seed, signal }: DemoContext, model: LanguageModel, tasks: Task[]): Promise<EvaluationReport> => {
  const total = tasks.reduce((sum, { items }) => sum + items.length, 0)
  const bar = terminal.bar(`measuring: ${model.name}`, total, 'items')
  let before = 0
  try {
    for await (const event of runEvaluation({ model, tasks, seed, signal })) {
      await nextTurn()
      if (event.kind === 'progress') bar.update(Math.min(total, before + event.done))
      if (event.kind === 'taskFinished') bar.update(Math.min(total, (before += event.result.numItems)))
      if (event.kind === 'finished') return event.report
    }
  } finally {
    bar.end()
  }
  throw new Error(`evaluation of ${model.name} ended without a report`)
}

const metric = (report: EvaluationReport, task: string, name: string): number | null => report.tasks[task]?.metrics[name]?.value ?? null

const show = ({ terminal, run }: DemoContext, evaluated: Evaluated): Evaluated => {
  const cell = (value: number | null): string => (value === null ? '–' : value.toFixed(3))
  terminal.table(
    ['model', 'bits per byte', 'sentence follows', 'stereotype (0.5 is even)'],
    Object.values(evaluated).map((report) => [
      report.model.name,
      cell(metric(report, 'held-out-text', 'bitsPerByte')),
      cell(metric(report, 'which-sentence-follows', 'accuracy')),
      cell(metric(report, 'stereotype-suite', 'pctStereotype')),
    ]),
  )
  const cost = metric(evaluated.mitigated, 'held-out-text', 'bitsPerByte')! - metric(evaluated.plain, 'held-out-text', 'bitsPerByte')!
  const share = evaluated.plain.tasks['stereotype-suite']?.metrics['pctStereotype']
  const after = evaluated.mitigated.tasks['stereotype-suite']?.metrics['pctStereotype']
  const interval = (m: typeof share): string => (m === undefined || m.value === null ? '–' : `${m.value.toFixed(3)} [${m.low?.toFixed(3) ?? '–'}, ${m.high?.toFixed(3) ?? '–'}]`)
  terminal.line(`   mitigation: stereotype score ${interval(share)} → ${interval(after)} (95 % intervals), for ${cost >= 0 ? '+' : ''}${cost.toFixed(4)} bits per byte`)
  terminal.file(run.file('steps', 'evaluated.json'))
  return evaluated
}

/** Mitigation as a comparison with intervals, for the report. */
export const mitigationComparison = (evaluated: Evaluated, seed: number) => compare(evaluated.plain, evaluated.mitigated, { seed, iterations: 2000 })
