import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TextDocument } from '@weft/contracts'
import { memoryScratch, type ScratchStore } from '@weft/sources'
import { curate, type CuratedDocument, type CurateOptions } from './curate.ts'
import { applyEdits, editDocument, keep, pureStep, type Step } from './step.ts'

const collect = async (options: CurateOptions): Promise<CuratedDocument[]> => {
  const found: CuratedDocument[] = []
  for await (const item of curate(options)) found.push(item)
  return found
}
const documentsOf = (...texts: string[]): TextDocument[] => texts.map((text, i) => ({ id: String(i), text }))
const outcome = ({ document, decision }: CuratedDocument): string => `${document.id} ${decision.kept ? 'kept' : decision.rule}`

const dropLong = (limit: number): Step =>
  pureStep('dropLong', { limit }, (document) => (document.text.length > limit ? { drop: { rule: 'long', value: document.text.length, threshold: limit } } : keep(document)))
const replaceAll = (from: string, to: string): Step =>
  pureStep(`replace ${from}`, null, (document) =>
    editDocument(`replace ${from}`, document, [...document.text.matchAll(new RegExp(from, 'g'))].map((match) => ({ span: [match.index, match.index + 1], replacement: to }))),
  )

/** Drops what is longer than the mean of all. */
const dropAboveMean = (log: string[] = []): Step => ({
  name: 'dropAboveMean',
  start: async () => {
    let total = 0
    let count = 0
    return {
      observe: ({ id, text }, index) => {
        log.push(`observe ${index} ${id}`)
        total += text.length
        count++
      },
      seal: async () => void log.push('seal'),
      apply: (document, index) => {
        log.push(`apply ${index} ${document.id}`)
        return document.text.length > total / count ? { drop: { rule: 'above mean', value: document.text.length, threshold: total / count } } : keep(document)
      },
      close: async () => void log.push('close'),
    }
  },
})

test('steps run in order; every document has its decision', async () => {
  const found = await collect({ documents: documentsOf('abc', 'aaaaaa', 'b'), steps: [replaceAll('a', 'xx'), dropLong(4), replaceAll('x', 'y')] })
  expect(found).toEqual([
    {
      document: { id: '0', text: 'yybc' },
      decision: { kept: true, edits: [
        { step: 'replace a', span: [0, 1], replacement: 'xx' },
        { step: 'replace x', span: [1, 2], replacement: 'y' },
        { step: 'replace x', span: [0, 1], replacement: 'y' },
      ] },
    },
    { document: { id: '1', text: 'xxxxxxxxxxxx' }, decision: { kept: false, step: 'dropLong', rule: 'long', value: 12, threshold: 4, edits: Array.from({ length: 6 }, (_, i) => ({ step: 'replace a', span: [5 - i, 6 - i], replacement: 'xx' })) } },
    { document: { id: '2', text: 'b' }, decision: { kept: true, edits: [] } },
  ])
})

test('a step that observes sees the survivors before it decides; drops come at once, the rest in order', async () => {
  const log: string[] = []
  const found = await collect({ documents: documentsOf('a', 'bbbb', 'ccccccccc', 'dd'), steps: [dropLong(5), dropAboveMean(log), replaceAll('a', 'z')] })
  expect(found.map(outcome)).toEqual(['2 long', '0 kept', '1 above mean', '3 kept'])
  expect(found[1]!.document.text).toBe('z')
  expect(log).toEqual(['observe 0 0', 'observe 1 1', 'observe 2 3', 'seal', 'apply 0 0', 'apply 1 1', 'apply 2 3', 'close'])
})

test('two observing steps, the first at the very beginning', async () => {
  const found = await collect({ documents: documentsOf('aaaa', 'b', 'cc'), steps: [dropAboveMean(), dropAboveMean()] })
  expect(found.map(outcome)).toEqual(['0 above mean', '1 kept', '2 above mean'])
})

test('a step may add copies; their edits and origin are theirs alone', async () => {
  const twice = pureStep('twice', null, (document) => ({
    keep: [document, { ...document, id: `${document.id}+`, text: `${document.text}!` }],
    edits: [{ step: 'twice', span: [document.text.length, document.text.length], replacement: '!' }],
  }))
  const found = await collect({ documents: documentsOf('a'), steps: [twice, dropAboveMean(), replaceAll('a', 'b')] })
  expect(found.map(({ document, decision }) => [document.id, document.text, decision.kept, decision.edits.length, decision.addedBy])).toEqual([
    ['0', 'b', true, 1, undefined],
    ['0+', 'a!', false, 1, 'twice'],
  ])
})

test('any text and metadata come through scratch space unchanged', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ id: fc.string(), text: fc.string({ unit: 'binary' }), metadata: fc.dictionary(fc.string(), fc.jsonValue()) })), async (records) => {
      const documents = (JSON.parse(JSON.stringify(records)) as TextDocument[]).map((document) => ({ ...document, text: `${document.text}\ud800` }))
      const observing: Step = { name: 'look', start: async () => ({ observe: () => {}, apply: keep }) }
      expect((await collect({ documents, steps: [observing] })).map(({ document }) => document)).toEqual(documents)
    }),
    { numRuns: 50 },
  )
})

test('edits rebuild the text, whatever steps they come from', () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.tuple(fc.nat(), fc.nat({ max: 3 }), fc.string())), (text, changes) => {
      let current = text
      const edits = changes.map(([place, length, replacement]) => {
        const start = place % (current.length + 1)
        const span = [start, Math.min(current.length, start + length)] as const
        current = current.slice(0, span[0]) + replacement + current.slice(span[1])
        return { span, replacement }
      })
      expect(applyEdits(text, edits)).toBe(current)
    }),
  )
  expect(() => applyEdits('short', [{ span: [3, 9], replacement: '' }])).toThrow('applyEdits: edit 0 ends at 9, beyond the text')
})

test('full scratch memory names the option; nothing is left behind', async () => {
  const documents = documentsOf('x'.repeat(5000))
  await expect(collect({ documents, steps: [dropAboveMean()], scratch: memoryScratch({ maxBytes: 1000 }) })).rejects.toThrow(/scratch/)
})

/** A store that tells what it still holds. */
const watchedScratch = (): { store: ScratchStore; files: Set<string> } => {
  const inner = memoryScratch()
  const files = new Set<string>()
  const store: ScratchStore = {
    create: async (name) => {
      files.add(name)
      const sink = await inner.create(name)
      return { ...sink, abort: async () => { await sink.abort(); files.delete(name) } }
    },
    open: inner.open,
    remove: async (name) => { await inner.remove(name); files.delete(name) },
  }
  return { store, files }
}

test.each(['end', 'break before the barrier', 'break after it', 'error while observing'])('scratch files are gone: %s', async (when) => {
  const { store, files } = watchedScratch()
  const log: string[] = []
  async function* documents(): AsyncGenerator<TextDocument> {
    yield* documentsOf('a', 'long text', 'b')
    if (when.startsWith('error')) throw new Error('the source broke')
  }
  const run = async (): Promise<void> => {
    for await (const { decision } of curate({ documents: documents(), steps: [dropLong(5), dropAboveMean(log)], scratch: store })) {
      if (when === 'break before the barrier' || (when === 'break after it' && decision.kept)) break
    }
  }
  expect(await run().catch((error: Error) => error.message)).toBe(when.startsWith('error') ? 'the source broke' : undefined)
  expect([...files]).toEqual([])
  expect(log.at(-1)).toBe('close')
})

test('an abort ends the run with its reason, even when everything is in memory', async () => {
  const controller = new AbortController()
  function* endless(): Generator<TextDocument> {
    for (let i = 0; ; i++) yield { id: String(i), text: 'x'.repeat(10_000) }
  }
  setTimeout(() => controller.abort(new Error('enough')), 5)
  await expect(collect({ documents: endless(), steps: [dropLong(5)], signal: controller.signal })).rejects.toThrow('enough')
  await expect(collect({ documents: [], steps: [], signal: AbortSignal.abort(new Error('at once')) })).rejects.toThrow('at once')
})

test('the same seed gives the same draws, another step others', async () => {
  const draw: Step = {
    name: 'draw',
    start: async ({ random }) => ({ apply: (document) => keep({ ...document, text: String(random.nextUint32()) }) }),
  }
  const texts = async (steps: Step[], seed?: number): Promise<string[]> =>
    (await collect({ documents: documentsOf('a', 'b'), steps, ...(seed === undefined ? {} : { seed }) })).map(({ document }) => document.text)
  expect(await texts([draw], 3)).toEqual(await texts([draw], 3))
  expect(await texts([draw], 3)).not.toEqual(await texts([draw], 4))
  expect(await texts([draw, draw], 3)).not.toEqual(await texts([draw], 3))
})

test('mistakes are named', async () => {
  await expect(collect({ documents: [], steps: [dropLong as unknown as Step] })).rejects.toThrow('steps[0]: expected a step such as gopherQuality() returns, got function; was the function called?')
  const silent = pureStep('silent', null, () => ({ keep: [] }))
  await expect(collect({ documents: documentsOf('a'), steps: [silent] })).rejects.toThrow(/step silent, document 0: expected at least one kept document/)
})
