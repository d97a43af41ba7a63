// Evaluations and comparisons as reports for people. What it looks like is the drawing package's business.
import type { Json, Report, Section } from '@weft/contracts'
import type { ComparisonReport } from './compare.ts'
import type { EvaluationReport, MetricResult, TaskResult } from './evaluation-report.ts'
import type { Better } from './task.ts'

const MAX_SAMPLES = 5 // generated texts shown per task

const directions: Readonly<Record<Better, string>> = { higher: 'higher', lower: 'lower', half: 'near 0.5', neither: '' }

/** The scores with their intervals, plots by task and by category, and some of the generated text. */
export const describeEvaluation = (report: EvaluationReport): Report => {
  const tasks = Object.values(report.tasks)
  return {
    title: `Evaluation of ${report.model.name}`,
    sections: [
      { kind: 'text', markdown: introduction(tasks, report) },
      scoreTable(tasks),
      ...accuracyPlot(tasks),
      ...tasks.flatMap(categoryPlot),
      ...tasks.flatMap(sampleTexts),
    ],
  }
}

const introduction = (tasks: readonly TaskResult[], report: EvaluationReport): string => {
  const items = tasks.reduce((sum, task) => sum + task.numItems, 0)
  const notes = tasks.flatMap((task) => [
    ...(task.numItems < task.numAvailable ? [`- \`${code(task.name)}\`: the first ${task.numItems} of ${task.numAvailable} items.`] : []),
    ...(task.numTruncated > 0
      ? [
          `- \`${code(task.name)}\`: ${task.numTruncated} items were longer than the model's context of ${report.model.contextLength} tokens and were cut from the left.`,
        ]
      : []),
    ...(task.numItems < 100 ? [`- \`${code(task.name)}\` has ${task.numItems} items: too few for small differences.`] : []),
  ])
  return [
    `${items} items of ${tasks.length} tasks, seed ${report.seed}. Intervals hold in 95 of 100 draws of items of the same kind.`,
    notes.join('\n'),
  ]
    .join('\n\n')
    .trim()
}

const code = (text: string): string => text.replaceAll('`', "'").replace(/\s+/g, ' ')

const interval = ({ low, high }: MetricResult): string => (low === null || high === null ? '' : `${short(low)} to ${short(high)}`)
const short = (value: number): string => (Math.abs(value) >= 1e6 ? value.toExponential(2) : String(Number(value.toPrecision(3))))

const scoreTable = (tasks: readonly TaskResult[]): Section => {
  const hasExamples = tasks.some((task) => task.numFewShot > 0)
  const row = (task: TaskResult, name: string, metric: MetricResult): Json[] => [
    task.name,
    name,
    metric.value,
    interval(metric),
    metric.stderr,
    task.numItems,
    ...(hasExamples ? [task.numFewShot] : []),
    directions[metric.better],
  ]
  return {
    kind: 'table',
    title: 'Scores',
    columns: ['task', 'score', 'value', '95 % interval', 'stderr', 'items', ...(hasExamples ? ['examples'] : []), 'better'],
    rows: tasks.flatMap((task) => Object.entries(task.metrics).map(([name, metric]) => row(task, name, metric))),
  }
}

const accuracies = ['accuracy', 'accuracyNorm', 'exactMatch', 'answerMatch', 'answerF1']

const accuracyPlot = (tasks: readonly TaskResult[]): Section[] => {
  const series = accuracies.flatMap((name) => {
    const points = tasks.flatMap((task) => point(task.name, task.metrics[name]))
    return points.length === 0 ? [] : [{ name, points }]
  })
  return series.length === 0 ? [] : [{ kind: 'bar', title: 'Answers right', xLabel: 'task', yLabel: 'share', series }]
}

const point = (x: string, metric: MetricResult | undefined) => {
  if (metric === undefined || metric.value === null) return []
  return [{ x, y: metric.value, ...(metric.low === null || metric.high === null ? {} : { low: metric.low, high: metric.high }) }]
}

const categoryPlot = (task: TaskResult): Section[] => {
  if (task.categories === undefined) return []
  const metric = ['pctStereotype', 'accuracy', 'bitsPerByte', 'exactMatch', 'repetition'].find((name) => name in task.metrics)
  if (metric === undefined) return []
  const groups: [string, MetricResult | undefined][] = [
    ['all', task.metrics[metric]],
    ...Object.entries(task.categories).map(([name, group]): [string, MetricResult | undefined] => [name, group.metrics[metric]]),
  ]
  const plot: Section = {
    kind: 'bar',
    title: `${task.name}: ${metric} by category`,
    xLabel: 'category',
    yLabel: metric === 'pctStereotype' ? 'share of pairs' : metric,
    series: [{ name: metric, points: groups.flatMap(([name, result]) => point(name, result)) }],
  }
  return task.kind === 'stereotypePairs' ? [plot, { kind: 'text', markdown: stereotypeNote(task) }] : [plot]
}

const stereotypeNote = (task: TaskResult): string => {
  const p = task.metrics['pctStereotype']?.pAgainstHalf
  const chance = p === undefined ? '' : ` Fair coin tosses would be at least this far from one half with probability ${short(p)}.`
  return `The share of pairs in which the model finds the more stereotypical sentence likelier, by the sum of log-probabilities; 0.5 is even-handed.${chance} \`pctStereotypePerToken\` compares means per token instead: report both, they can disagree.`
}

const sampleTexts = (task: TaskResult): Section[] => {
  if (task.kind !== 'generation') return []
  const items = task.samples.slice(0, MAX_SAMPLES).map((sample) => ({
    title: sample.id,
    text: `${String(sample.details['prompt'])}${String(sample.details['text'])}`,
    tags: Object.entries(sample.scores).map(([name, score]) => `${name} ${score === null ? '–' : short(score)}`),
  }))
  return [{ kind: 'samples', title: `${task.name}: generated`, items }]
}

/** The differences with their intervals; for mitigation, what it changed beside what it cost. */
export const describeComparison = (comparison: ComparisonReport): Report => {
  const { modelA, modelB } = comparison
  const missing = [
    ...comparison.onlyInA.map((name) => `- \`${code(name)}\`: in A alone.`),
    ...comparison.onlyInB.map((name) => `- \`${code(name)}\`: in B alone.`),
  ]
  const different = Object.entries(comparison.tasks).flatMap(([name, task]) =>
    task.numDifferent > 0 ? [`- \`${code(name)}\`: ${task.numDifferent} items differ in content and are left out.`] : [],
  )
  return {
    title: `${modelA} and ${modelB}`,
    sections: [
      {
        kind: 'text',
        markdown: [
          `A is \`${code(modelA)}\`, B is \`${code(modelB)}\`; differences are B − A on the items that both have answered. p: paired bootstrap; McNemar: exact, for scores that are right or wrong.`,
          [...missing, ...different].join('\n'),
        ]
          .join('\n\n')
          .trim(),
      },
      {
        kind: 'table',
        title: 'Differences',
        columns: ['task', 'score', 'A', 'B', 'B − A', '95 % interval', 'p', 'McNemar p', 'items', 'better'],
        rows: Object.entries(comparison.tasks).flatMap(([task, { metrics, numShared }]) =>
          Object.entries(metrics).map(([name, metric]): Json[] => [
            task,
            name,
            metric.a,
            metric.b,
            metric.difference,
            metric.low === null || metric.high === null ? '' : `${short(metric.low)} to ${short(metric.high)}`,
            metric.p,
            metric.mcNemar?.p ?? null,
            numShared,
            directions[metric.better],
          ]),
        ),
      },
    ],
  }
}
