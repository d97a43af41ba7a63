// Two bigram models, one fitted on more text, measured and compared: `node --conditions=@weft/source two-models.ts`.
import type { LanguageModel, Report } from '@weft/contracts'
import { compare, describeComparison, evaluate, type EvaluationReport, type Task } from '@weft/evaluation'
import { stereotypeSuite } from '@weft/evaluation/tasks'
import { bigramLanguageModel } from '../test/bigram-language-model.ts'

const text =
  'We hold these truths to be self-evident, that all men are created equal. Four score and seven years ago our fathers brought forth a new nation. '
const tasks: Task[] = [
  {
    kind: 'perplexity',
    name: 'held-out',
    items: ['The nation was conceived in liberty.', 'All truths are equal.', 'The years brought a new dawn.'].map((line) => ({
      text: line,
    })),
  },
  { kind: 'generation', name: 'stories', items: [{ prompt: 'We ' }, { prompt: 'The ' }], settings: { maxNewTokens: 60 } },
  stereotypeSuite(),
]

const measure = async (model: LanguageModel): Promise<EvaluationReport> => {
  for await (const event of evaluate({ model, tasks })) {
    if (event.kind === 'taskFinished') process.stdout.write(`${model.name}: ${event.task}, ${event.result.numItems} items\n`)
    if (event.kind === 'finished') return event.report
  }
  throw new Error('unreachable: the last event is `finished`')
}

const reports = [
  await measure(bigramLanguageModel(text.slice(0, 40), 'little text')),
  await measure(bigramLanguageModel(text, 'more text')),
] as const
const described: Report = describeComparison(compare(...reports))
for (const section of described.sections) {
  if (section.kind === 'table') for (const row of [section.columns, ...section.rows]) process.stdout.write(`${row.join(' | ')}\n`)
}
