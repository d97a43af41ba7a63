// The scores of lm-evaluation-harness 0.4.13 from its own recorded log-probabilities, for two models and all its ways of scoring that
// Weft has: every aggregate with its error, and every item.
import { needsShared, readJsonLines, readText } from '@weft/fixtures'
import { describe, expect, test } from 'vitest'
import { evaluate, type EvaluationReport, type SampleResult } from '../src/index.ts'
import { bitsPerByte, perplexity } from '../src/metrics.ts'
import type { EvaluateOptions } from '../src/evaluate.ts'
import { defineTask, type MultipleChoiceItem, type Task } from '../src/tasks.ts'
import { pairKey, recordedLanguageModel } from './recorded-language-model.ts'

interface GoldenItem {
  i: number
  ctx: string | string[]
  cont: string[]
  ll: number[]
  greedy: number[]
  n_cont: number[]
  gold: number
  [metric: string]: unknown
}

interface GoldenRun {
  config: { target_delimiter: string; description: string }
  results: Record<string, number>
  items: GoldenItem[]
}

const shared = needsShared('golden/evaluation/stories260k')
const folder = 'golden/evaluation'
const load = <Run = GoldenRun>(name: string): Run => JSON.parse(readText(needsShared(`${folder}/${name}.json.gz`).path)) as Run

const recordingOf = (run: GoldenRun) =>
  recordedLanguageModel({
    pairs: new Map(
      run.items.flatMap((item) =>
        item.cont.map((continuation, place) => {
          const context = typeof item.ctx === 'string' ? item.ctx : item.ctx[place]!
          return [
            pairKey(context, continuation),
            { logProb: item.ll[place]!, isGreedy: item.greedy[place] === 1, tokenCount: item.n_cont[place]! },
          ]
        }),
      ),
    ),
  })

const reportOf = async (options: EvaluateOptions): Promise<EvaluationReport> => {
  for await (const event of evaluate(options)) if (event.kind === 'finished') return event.report
  throw new Error('no report')
}

const resultOf = async (run: GoldenRun, task: Task) => (await reportOf({ model: recordingOf(run), tasks: [task] })).tasks[task.name]!
const scoresOf = (samples: readonly SampleResult[], metric: string) => samples.map((sample) => sample.scores[metric])

const metricNames = [
  ['accuracy', 'acc'],
  ['accuracyNorm', 'acc_norm'],
  ['accuracyBytes', 'acc_bytes'],
  ['brier', 'brier_score'],
  ['pctStereotype', 'pct_stereotype'],
  ['likelihoodDiff', 'likelihood_diff'],
] as const

const expectSame = (result: Awaited<ReturnType<typeof resultOf>>, run: GoldenRun) => {
  let compared = 0
  for (const [ours, theirs] of metricNames) {
    const value = run.results[`${theirs},none`]
    if (value === undefined) continue
    compared++
    expect(result.metrics[ours]!.value, theirs).toBeCloseTo(value, 5)
    const stderr = run.results[`${theirs}_stderr,none`]
    if (typeof stderr === 'number') expect(result.metrics[ours]!.stderr, `${theirs} stderr`).toBeCloseTo(stderr, 5)
    const perItem = run.items.map((item) => item[theirs]).filter((score) => typeof score === 'number')
    if (perItem.length > 0)
      for (const [index, score] of scoresOf(result.samples, ours).entries()) expect(score).toBeCloseTo(perItem[index]!, 5)
  }
  expect(compared).toBeGreaterThan(0)
}

const multipleChoice = [
  'stories260k/arc_easy',
  'stories260k/blimp_anaphor_gender_agreement',
  'stories260k/blimp_determiner_noun_agreement_2',
  'stories260k/blimp_principle_A_domain_1',
  'stories260k/copa',
  'stories260k/hellaswag',
  'stories260k/openbookqa',
  'stories260k/piqa',
  'stories260k/winogrande',
  'smollm2/arc_challenge',
  'smollm2/arc_easy',
  'smollm2/arc_easy_chat',
  'smollm2/boolq',
  'smollm2/commonsense_qa',
  'smollm2/commonsense_qa_cloze',
  'smollm2/copa',
  'smollm2/hellaswag',
  'smollm2/mmlu_high_school_biology_0shot',
  'smollm2/mmlu_marketing_5shot',
  'smollm2/openbookqa',
  'smollm2/piqa',
  'smollm2/social_iqa',
  'smollm2/truthfulqa_mc1',
  'smollm2/winogrande',
]

describe(`lm-evaluation-harness${shared.note}`, () => {
  test.skipIf(shared.missing).each(multipleChoice)('multiple choice: %s', async (name) => {
    const run = load(name)
    const delimiter = name.endsWith('_chat') ? '' : run.config.target_delimiter
    const items = run.items.map(({ ctx, cont, gold }): MultipleChoiceItem => ({
      context: ctx,
      choices: cont.map((text) => text.slice(delimiter.length)),
      answer: gold,
    }))
    expectSame(await resultOf(run, { kind: 'multipleChoice', name, choiceDelimiter: delimiter, items }), run)
  })

  test.skipIf(shared.missing).each(['stories260k/crows_pairs_english', 'smollm2/crows_pairs_english'])(
    'stereotype pairs: %s',
    async (name) => {
      const run = load(name)
      const items = run.items.map((item) => ({
        moreStereotypical: item.cont[0]!,
        lessStereotypical: item.cont[1]!,
        category: item['bias_type'] as string,
      }))
      const result = await resultOf(run, { kind: 'stereotypePairs', name, items })
      expectSame(result, run)
      expect(Object.values(result.categories!).reduce((sum, { numItems }) => sum + numItems, 0)).toBe(100)
    },
  )

  test.skipIf(shared.missing).each(['stories260k/lambada_openai', 'stories260k/lambada_openai_max64', 'smollm2/lambada_openai'])(
    'given continuations: %s',
    async (name) => {
      const run = load(name)
      const items = run.items.map((item) => ({ context: item.ctx as string, continuation: item.cont[0]! }))
      const { metrics } = await resultOf(run, { kind: 'continuation', name, items })
      expect(metrics['accuracy']!.value).toBe(run.results['acc,none'])
      expect(metrics['accuracy']!.stderr).toBeCloseTo(run.results['acc_stderr,none']!, 12)
      expect(metrics['perplexity']!.value! / run.results['perplexity,none']!).toBeCloseTo(1, 5)
      expect(metrics['perplexity']!.stderr).toBeGreaterThan(0)
    },
  )

  interface RollingRun {
    results: Record<string, number>
    items: { text: string; ll: number; words: number; bytes: number; tokens: number }[]
  }

  test.skipIf(shared.missing)('whole documents', async () => {
    const run = load<RollingRun>('stories260k/tinystories')
    const model = recordedLanguageModel({
      texts: new Map(run.items.map((item) => [item.text, { logProb: item.ll, tokenCount: item.tokens }])),
    })
    const { metrics, samples } = (
      await reportOf({ model, tasks: [{ kind: 'perplexity', name: 'stories', items: run.items.map(({ text }) => ({ text })) }] })
    ).tasks['stories']!
    expect(samples.map(({ details }) => [details['wordCount'], details['byteCount']])).toEqual(
      run.items.map((item) => [item.words, item.bytes]),
    )
    for (const [ours, theirs] of [
      ['bitsPerByte', 'bits_per_byte'],
      ['bytePerplexity', 'byte_perplexity'],
      ['wordPerplexity', 'word_perplexity'],
    ] as const) {
      expect(metrics[ours]!.value! / run.results[`${theirs},none`]!).toBeCloseTo(1, 9)
    }
    expect(metrics['bitsPerByte']!.stderr).toBeGreaterThan(0)
  })

  test.skipIf(shared.missing).each(['stories260k/wikitext', 'smollm2/wikitext', 'stories260k/wikitext_short_128'])(
    'documents counted before they were edited: %s',
    (name) => {
      const { items, results } = load<RollingRun>(name)
      const logProbs = items.map((item) => item.ll)
      expect(perplexity({ logProbs, weights: items.map((item) => item.words) }) / results['word_perplexity,none']!).toBeCloseTo(1, 9)
      expect(bitsPerByte({ logProbs, byteCounts: items.map((item) => item.bytes) })).toBeCloseTo(results['bits_per_byte,none']!, 9)
    },
  )

  const mmlu = needsShared('data/mmlu/high_school_biology.test.jsonl.gz')

  test.skipIf(shared.missing || mmlu.missing)('prompts with five solved examples, to the letter', async () => {
    for (const subject of ['high_school_biology', 'marketing']) {
      const read = (split: string) =>
        (
          readJsonLines(needsShared(`data/mmlu/${subject}.${split}.jsonl.gz`).path) as {
            question: string
            choices: string[]
            label: number
          }[]
        ).map(({ question, choices, label: answer }): MultipleChoiceItem => ({
          context: `${question.trim()}\n${choices.map((choice, i) => `${'ABCD'[i]}. ${choice}`).join('\n')}\nAnswer:`,
          choices: ['A', 'B', 'C', 'D'],
          answer,
        }))
      const run = load(`smollm2/mmlu_${subject}_5shot`)
      const task = defineTask({
        kind: 'multipleChoice',
        name: subject,
        instructions: run.config.description,
        items: read('test'),
        fewShot: { examples: read('dev'), sampler: 'first' },
      })
      // The recorded model answers no other prompt.
      const result = (await reportOf({ model: recordingOf(run), tasks: [task], numFewShot: 5, limit: run.items.length })).tasks[subject]!
      expect(result).toMatchObject({ numFewShot: 5, numItems: run.items.length })
      expectSame(result, run)
    }
  })

  test.skipIf(shared.missing)('answers cut out of generated text', async () => {
    const run = load<{
      results: Record<string, number>
      items: { ctx: string; resp: string; filtered: Record<string, string> | string[]; target: string; exact_match: unknown }[]
    }>('smollm2/gsm8k_2shot')
    const [first] = run.items
    const filters = Object.keys(first!.filtered)
    expect(filters).toEqual(['strict-match', 'flexible-extract'])
    const patterns = [
      { pattern: '#### (\\-?[0-9\\.\\,]+)', pick: 'first' },
      { pattern: '(-?[$0-9.,]{2,})|(-?[0-9]+)', pick: 'last' },
    ] as const
    for (const [index, extract] of patterns.entries()) {
      const model = recordedLanguageModel({ generated: new Map(run.items.map((item) => [item.ctx, item.resp])) })
      const items = run.items.map((item) => ({ prompt: item.ctx, references: [item.target] }))
      const task = defineTask({
        kind: 'generation',
        name: 'gsm8k',
        items,
        extract,
        metrics: ['exactMatch'],
        exactMatch: { ignoreCase: true, ignorePatterns: [',', '\\$', '.*#### ', '\\.$'] },
      })
      const { samples, metrics } = (await reportOf({ model, tasks: [task] })).tasks['gsm8k']!
      const answers = run.items.map((item) => (item.filtered as Record<string, string>)[filters[index]!])
      expect(samples.map(({ details }) => details['answer'] ?? details['text'])).toEqual(answers)
      expect(metrics['exactMatch']!.value).toBe(run.results[`exact_match,${filters[index]}`])
    }
  })
})
