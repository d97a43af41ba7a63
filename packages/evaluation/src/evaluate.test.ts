import { isWeftError, type LanguageModel } from '@weft/contracts'
import { array, assert, asyncProperty, string } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bigramLanguageModel } from '../test/bigram-language-model.ts'
import { evaluate, type EvaluateOptions } from './evaluate.ts'
import type { EvaluationEvent, EvaluationReport } from './evaluation-report.ts'
import type { Task } from './task.ts'

const model = bigramLanguageModel('the cat sat on the mat. the cat ran. ')

const eventsOf = async (options: EvaluateOptions): Promise<EvaluationEvent[]> => {
  const events: EvaluationEvent[] = []
  for await (const event of evaluate(options)) events.push(event)
  return events
}
const reportOf = async (options: EvaluateOptions): Promise<EvaluationReport> => {
  const last = (await eventsOf(options)).at(-1)!
  if (last.kind !== 'finished') throw new Error('not finished')
  return last.report
}
const metricsOf = async (task: Task, options: Partial<EvaluateOptions> = {}) =>
  (await reportOf({ model, tasks: [task], ...options })).tasks[task.name]!

const choices: Task = {
  kind: 'multipleChoice',
  name: 'choices',
  items: [
    { context: 'the cat', choices: ['sat', 'zzz'], answer: 0 },
    { context: 'the cat', choices: ['qqq', 'ran'], answer: 1, category: 'run' },
    { context: 'the mat', choices: ['xxxx', 'zzz'], answer: 0, category: 'run' },
  ],
}
const documents: Task = {
  kind: 'perplexity',
  name: 'documents',
  items: [
    { id: 'a', text: 'the cat' },
    { id: 'b', text: 'the mat sat.' },
  ],
}

test('events come in order: start, progress and samples, task, report', async () => {
  const events = await eventsOf({ model, tasks: [choices, documents] })
  expect(events.map((event) => event.kind)).toEqual([
    'taskStart',
    'progress',
    'progress',
    'sample',
    'progress',
    'progress',
    'sample',
    'progress',
    'progress',
    'sample',
    'taskFinished',
    'taskStart',
    'progress',
    'sample',
    'progress',
    'sample',
    'taskFinished',
    'finished',
  ])
  expect(events[0]).toEqual({ kind: 'taskStart', task: 'choices', taskIndex: 0, numTasks: 2, numItems: 3, numRequests: 6 })
  expect(events[5]).toMatchObject({ kind: 'progress', done: 4, total: 6 })
  expect(events[3]).toMatchObject({
    sample: { id: '0' },
    requests: [{ context: 'the cat', continuation: ' sat' }, { continuation: ' zzz' }],
  })
})

test('multiple choice: scores, categories, and what they rest on', async () => {
  const result = await metricsOf(choices)
  expect(result.metrics['accuracy']).toMatchObject({ value: 2 / 3, better: 'higher' })
  expect(result.metrics['accuracyNorm']!.value).toBe(1) // per character the longer choice catches up
  expect(result.categories).toMatchObject({ run: { numItems: 2, metrics: { accuracy: { value: 0.5 } } } })
  expect(result.samples[1]).toMatchObject({ category: 'run', scores: { accuracy: 1 }, details: { predicted: 1, answer: 1 } })
  const { low, high, value } = result.metrics['accuracy']!
  expect(low).toBeLessThan(value!)
  expect(high).toBeGreaterThan(value!)
})

test('documents: bits per byte from the sums, not a mean of means', async () => {
  const { metrics, samples } = await metricsOf(documents)
  const [a, b] = samples.map(({ details }) => details['logProb'] as number) as [number, number]
  expect(metrics['bitsPerByte']!.value).toBeCloseTo(-(a + b) / (19 * Math.LN2), 12)
  expect(metrics['perplexity']!.value).toBeCloseTo(Math.exp(-(a + b) / 19), 12)
  const words = metrics['wordPerplexity']!
  expect(words.value! / Math.exp(-(a + b) / 5)).toBeCloseTo(1, 12)
  expect(words.low).toBeGreaterThan(1) // the interval keeps to what a perplexity can be, however wide
  expect(words.high! > words.value! && words.value! > words.low!).toBe(true)
})

test('a better fitted model has fewer bits per byte, whatever the text', async () => {
  await assert(
    asyncProperty(array(string({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 4 }), async (texts) => {
      const items = texts.map((text) => ({ text }))
      const task: Task = { kind: 'perplexity', name: 't', items }
      const [fitted, other] = await Promise.all(
        [bigramLanguageModel(texts.join('').repeat(20)), bigramLanguageModel('0123456789'.repeat(20))].map(
          async (m) => (await reportOf({ model: m, tasks: [task] })).tasks['t']!.metrics['bitsPerByte']!.value!,
        ),
      )
      expect(fitted! <= other! + 1e-9 || texts.every((text) => /^\d*$/.test(text))).toBe(true)
    }),
    { numRuns: 30 },
  )
})

test('stereotype pairs: both variants, ties, the chance of it', async () => {
  const { metrics } = await metricsOf({
    kind: 'stereotypePairs',
    name: 'pairs',
    items: [
      { moreStereotypical: 'the cat sat', lessStereotypical: 'the zat sat' },
      { moreStereotypical: 'the cat', lessStereotypical: 'the cat' },
      { moreStereotypical: 'the cat sat on the mat. the cat', lessStereotypical: 'qzx' },
    ],
  })
  expect(metrics['pctStereotype']).toMatchObject({ value: 1 / 3, better: 'half', pAgainstHalf: 1 })
  expect(metrics['pctStereotypePerToken']!.value).toBeCloseTo(2 / 3, 12)
  expect(metrics['ties']!.value).toBeCloseTo(1 / 3, 12)
})

describe('generation', () => {
  test('without references: variety, repetition, length', async () => {
    const { metrics, samples } = await metricsOf({
      kind: 'generation',
      name: 'g',
      items: [{ prompt: 'the' }, { prompt: 'a' }],
      settings: { maxNewTokens: 40 },
    })
    expect(Object.keys(metrics).sort()).toEqual(['distinct1', 'distinct2', 'distinct3', 'longestRepeat', 'numWords', 'repetition'])
    expect(metrics['repetition']!.value).toBeGreaterThan(0.3) // greedy bigrams loop
    expect(samples[0]!.details).toMatchObject({ prompt: 'the', finishReason: 'length' })
  })

  test('with references: every score there is, one of one own, and an answer cut out', async () => {
    const task: Task = {
      kind: 'generation',
      name: 'g',
      items: [{ prompt: 'th', references: [' th e'] }],
      settings: { maxNewTokens: 5 },
      metrics: [
        'exactMatch',
        'answerMatch',
        'answerF1',
        'bleu',
        'chrF',
        'rouge1',
        'rouge2',
        'rougeL',
        'rougeLsum',
        'numWords',
        { name: 'letters', better: 'neither', score: ({ text }) => text.length },
      ],
    }
    const { metrics, samples } = await metricsOf(task)
    expect(metrics).toMatchObject({ letters: { value: 5, better: 'neither' }, exactMatch: { value: 0 } })
    expect(metrics['chrF']!.value).toBeGreaterThan(0)
    expect(samples[0]!.statistics!['bleu']).toHaveLength(10)
    expect((await metricsOf({ ...task, extract: { pattern: 'q(.)' } })).samples[0]!.details['answer']).toBe('[invalid]')
  })

  test('sampling is seeded per item, and the separator of solved examples stops the text', async () => {
    const seen: unknown[] = []
    const spy: LanguageModel = { ...model, generate: (request) => (seen.push(request), model.generate(request)) }
    const task: Task = {
      kind: 'generation',
      name: 'g',
      items: [
        { prompt: 'a', references: ['b'] },
        { prompt: 'c', references: ['d'] },
      ],
      settings: { temperature: 0.7 },
    }
    await eventsOf({ model: spy, tasks: [task], numFewShot: 1 })
    await eventsOf({ model: spy, tasks: [task], numFewShot: 1 })
    const [first, second, again] = seen as { seed: number; prompt: string; stop: string[]; maxNewTokens: number }[]
    expect(first).toMatchObject({ prompt: 'c d\n\na', stop: ['\n\n'], maxNewTokens: 256 })
    expect(first!.seed).not.toBe(second!.seed)
    expect(again).toEqual(first)
  })

  test('chat messages take no solved examples', async () => {
    const items = [
      { prompt: [{ role: 'user' as const, content: 'hi' }], references: ['a'] },
      { prompt: 'x', references: ['b'] },
    ]
    await expect(eventsOf({ model, tasks: [{ kind: 'generation', name: 'g', items }], numFewShot: 1 })).rejects.toThrow('solved examples')
    await expect(eventsOf({ model, tasks: [{ kind: 'generation', name: 'g', items, instructions: 'Go. ' }] })).rejects.toThrow(
      'not before chat messages',
    )
  })
})

describe('solved examples', () => {
  const items = Array.from({ length: 12 }, (_, i) => ({ context: `q${i}`, choices: ['x', 'y'], answer: i % 2 }))
  const prompts = async (task: Task, options: Partial<EvaluateOptions> = {}) =>
    (await eventsOf({ model, tasks: [task], ...options })).flatMap((event) =>
      event.kind === 'sample' ? [(event.requests[0] as { context: string }).context] : [],
    )

  test('are drawn by the seed, never the item itself, never twice', async () => {
    const task: Task = { kind: 'multipleChoice', name: 't', items, fewShot: { count: 4 }, instructions: 'Answer.\n\n' }
    const drawn = await prompts(task)
    for (const [index, prompt] of drawn.entries()) {
      const parts = prompt.slice('Answer.\n\n'.length).split('\n\n')
      expect(parts.at(-1)).toBe(`q${index}`)
      expect(new Set(parts.map((part) => part.split(' ')[0])).size).toBe(5)
      for (const part of parts.slice(0, -1)) expect(part).toMatch(/^q\d+ [xy]$/)
    }
    expect(await prompts(task)).toEqual(drawn)
    expect(await prompts(task, { seed: 1 })).not.toEqual(drawn)
    expect((await prompts(task, { numFewShot: 0 }))[0]).toBe('Answer.\n\nq0')
  })

  test('or are the first ones', async () => {
    const task: Task = { kind: 'multipleChoice', name: 't', items, fewShot: { sampler: 'first', separator: '|' } }
    expect((await prompts(task, { numFewShot: 2 })).slice(0, 3)).toEqual(['q1 y|q2 x|q0', 'q0 x|q2 x|q1', 'q0 x|q1 y|q2'])
  })

  test('too few is an error', async () => {
    await expect(prompts({ kind: 'multipleChoice', name: 't', items, fewShot: { count: 12 } })).rejects.toThrow(
      'task "t": expected at least 12 solved examples, there are 11',
    )
  })
})

describe('bad input', () => {
  const choice = (change: object): Task => ({
    kind: 'multipleChoice',
    name: 't',
    items: [{ context: 'a', choices: ['b', 'c'], answer: 0, ...change }],
  })

  test.each([
    [choice({ answer: 2 }), 'task "t": item 0: expected answer to be an index from 0 to 1, got 2'],
    [choice({ choices: ['b'] }), 'expected at least two choices'],
    [choice({ context: ['a'] }), 'expected context to be a string, or one for each of the 2 choices'],
    [choice({ id: 7 }), 'expected id to be a string, got 7'],
    [{ kind: 'perplexity', name: 't', items: [] } as Task, 'expected a list of at least one item'],
    [{ kind: 'perplexity', name: '', items: [{ text: '' }] } as Task, 'expected a name, got ""'],
    [{ kind: 'quiz', name: 't', items: [{}] } as unknown as Task, 'expected a kind out of multipleChoice'],
    [
      {
        kind: 'perplexity',
        name: 't',
        items: [
          { id: 'x', text: 'a' },
          { id: 'x', text: 'b' },
        ],
      } as Task,
      'item 1 (x): its id occurs twice',
    ],
    [{ kind: 'perplexity', name: 't', items: [{ text: 3 }] } as unknown as Task, 'expected text to be a string, got 3'],
    [{ kind: 'generation', name: 't', items: [{ prompt: 'a' }], metrics: ['bleu'] } as Task, 'bleu needs references, item 0 has none'],
    [{ kind: 'generation', name: 't', items: [{ prompt: 'a' }], extract: { pattern: '(' } } as Task, '"(" is not a regular expression'],
    [
      { kind: 'generation', name: 't', items: [{ prompt: 'a' }], metrics: ['beauty'] } as unknown as Task,
      'expected metrics out of exactMatch',
    ],
  ])('%#', async (task, message) => {
    await expect(eventsOf({ model, tasks: [task] })).rejects.toThrow(message)
  })

  test('options', async () => {
    await expect(eventsOf({ model, tasks: [documents, documents] })).rejects.toThrow('two tasks are called "documents"')
    await expect(eventsOf({ model, tasks: [documents], limit: 0 })).rejects.toThrow(
      'expected limit to be a whole number of at least 1, got 0',
    )
    await expect(eventsOf({ model, tasks: [documents], numFewShot: 0.5 })).rejects.toThrow('numFewShot')
  })

  const answering = (answers: readonly { index: number; logProb: number }[]): LanguageModel => ({
    ...model,
    async *rollingLogLikelihood() {
      for (const answer of answers) yield { ...answer, tokenCount: 1 }
    },
  })

  test.each([
    [[{ index: 0, logProb: -1 }], 'no answer to 1 of 2 requests'],
    [
      [
        { index: 0, logProb: -1 },
        { index: 0, logProb: -1 },
      ],
      'second answer to request 0 (item a)',
    ],
    [[{ index: 2, logProb: -1 }], 'answer to request 2 of 2'],
    [[{ index: 0, logProb: Number.NaN }], 'log-probability of NaN for item a'],
    [[{ index: 0, logProb: 3 }], 'log-probability of 3 for item a'],
  ])('a model that answers wrongly %#', async (answers, message) => {
    const failed = eventsOf({ model: answering(answers), tasks: [documents] })
    await expect(failed).rejects.toThrow(message)
    await expect(failed).rejects.toSatisfy((error) => isWeftError(error, 'model'))
  })

  test('a probability of 0 is not hidden: the score is not a number, the rest goes on, JSON keeps it', async () => {
    const report = await reportOf({
      model: answering([
        { index: 1, logProb: Number.NEGATIVE_INFINITY },
        { index: 0, logProb: -1 },
      ]),
      tasks: [documents],
    })
    expect(report.tasks['documents']!.metrics['bitsPerByte']).toMatchObject({ value: null, stderr: null })
    expect(JSON.parse(JSON.stringify(report))).toEqual(report)
  })
})

describe('stopping', () => {
  const slow = (onEnd: () => void): LanguageModel => ({
    ...model,
    async *logLikelihood(requests, options) {
      try {
        yield* model.logLikelihood(requests, options)
      } finally {
        onEnd()
      }
    },
  })

  test('break ends the model as well', async () => {
    let isEnded = false
    for await (const event of evaluate({ model: slow(() => (isEnded = true)), tasks: [choices] })) if (event.kind === 'progress') break
    expect(isEnded).toBe(true)
  })

  test('abort rejects with the reason, also where the model does not listen', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const seen: string[] = []
    const run = async () => {
      for await (const event of evaluate({ model, tasks: [choices, documents], signal: controller.signal })) {
        seen.push(event.kind)
        if (event.kind === 'sample') controller.abort(reason)
      }
    }
    await expect(run()).rejects.toBe(reason)
    expect(seen).toEqual(['taskStart', 'progress', 'progress', 'sample'])
  })
})

test('limit takes the first items and says so; the same seed gives the same report', async () => {
  const report = await reportOf({ model, tasks: [choices], limit: 2 })
  expect(report.tasks['choices']).toMatchObject({ numItems: 2, numAvailable: 3 })
  expect(await reportOf({ model, tasks: [choices], limit: 2 })).toEqual(report)
})

test('cut contexts are counted', async () => {
  const long: Task = {
    kind: 'continuation',
    name: 'long',
    items: [
      { context: 'a'.repeat(2000), continuation: ' b' },
      { context: 'a', continuation: ' b' },
    ],
  }
  expect((await metricsOf(long)).numTruncated).toBe(1)
})
