// A model card (Mitchell et al. 2019, "Model cards for model reporting"): what a model is, what it is for, how it was measured.
import type { Json, Report, Section } from '@weft/contracts'
import type { EvaluationReport } from './evaluation-report.ts'
import { describeEvaluation } from './describe-evaluation.ts'

export interface ModelCardOptions {
  readonly name: string
  /** Markdown, as are the other texts. */
  readonly description?: string
  readonly license?: string
  readonly numParameters?: number
  /** Facts for a table: architecture, tokenizer, training settings. */
  readonly facts?: Readonly<Record<string, Json>>
  readonly intendedUse?: string
  readonly limitations?: string
  readonly trainingData?: string
  readonly evaluation?: EvaluationReport
  /** Evaluations of other models on the same tasks, for a table side by side. */
  readonly baselines?: readonly EvaluationReport[]
  /** Whatever else belongs here, such as a loss curve; comes last. */
  readonly sections?: readonly Section[]
}

/** A report; sections for which there is nothing are left out, except limits, which are asked for. */
export const modelCard = (options: ModelCardOptions): Report => {
  const { evaluation, baselines = [] } = options
  return {
    title: options.name,
    sections: [
      ...textSection(undefined, options.description),
      ...factTable(options),
      ...textSection('Intended use', options.intendedUse),
      ...textSection(
        'Limits and risks',
        options.limitations ??
          'None are stated. A language model repeats what its training text says, errors and prejudices included; its output is not checked for truth.',
      ),
      ...textSection('Training data', options.trainingData),
      ...(evaluation === undefined ? [] : describeEvaluation(evaluation).sections),
      ...(evaluation === undefined || baselines.length === 0 ? [] : [sideBySide([evaluation, ...baselines])]),
      ...(options.sections ?? []),
    ],
  }
}

const textSection = (title: string | undefined, markdown: string | undefined): Section[] =>
  markdown === undefined ? [] : [{ kind: 'text', ...(title === undefined ? {} : { title }), markdown }]

const factTable = ({ license, numParameters, facts = {} }: ModelCardOptions): Section[] => {
  const rows: Json[][] = [
    ...(numParameters === undefined ? [] : [['parameters', numParameters.toLocaleString('en-US')]]),
    ...(license === undefined ? [] : [['licence', license]]),
    ...Object.entries(facts).map(([name, value]): Json[] => [name, value]),
  ]
  return rows.length === 0 ? [] : [{ kind: 'table', title: 'Facts', columns: ['fact', 'value'], rows }]
}

/** One row per score that all reports have, one column per model. */
const sideBySide = (reports: readonly EvaluationReport[]): Section => {
  const [first] = reports
  const rows = Object.values(first!.tasks).flatMap((task) =>
    Object.keys(task.metrics).flatMap((metric): Json[][] => {
      const values = reports.map((report) => report.tasks[task.name]?.metrics[metric])
      return values.every((value) => value !== undefined) ? [[task.name, metric, ...values.map((value) => value.value)]] : []
    }),
  )
  return { kind: 'table', title: 'Beside other models', columns: ['task', 'score', ...reports.map((report) => report.model.name)], rows }
}
