// Runs documents through steps, in stages. A stage ends where a step must see everything before it can decide: the survivors
// so far are written to scratch space while it observes, then read back. Memory stays that of the steps and one document.
import { ConfigError, createRandomSource, type TextDocument } from '@weft/contracts'
import { memoryScratch, type ScratchStore } from '@weft/sources'
import { createDocumentSpool, type Traveller } from './document-spool.ts'
import type { ActiveStep, Decision, Edit, Step } from './step.ts'

export interface CurateOptions {
  readonly documents: AsyncIterable<TextDocument> | Iterable<TextDocument>
  readonly steps: readonly Step[]
  /** Where survivors wait between stages. Default: memory, up to 256 MB. One run at a time in one store. */
  readonly scratch?: ScratchStore
  /** Default 0. */
  readonly seed?: number
  readonly signal?: AbortSignal
}

export interface CuratedDocument {
  /** As it left the last step that saw it. */
  readonly document: TextDocument
  readonly decision: Decision
}

/** Enough for some 100,000 web pages; beyond, a folder is the better place. */
const defaultScratchBytes = 256 * 2 ** 20

interface Running {
  readonly step: Step
  readonly active: ActiveStep
  seen: number
}

/**
 * Curates a corpus: each document goes through the steps in order and comes out kept (perhaps edited) or dropped, with the
 * reason. Kept documents keep the order of the input; drops come out as soon as they are known. `break` frees everything.
 *
 * @example
 * for await (const { document, decision } of curate({ documents, steps: [gopherQuality(), minHashDeduplicate()] })) {
 *   if (decision.kept) keepIt(document)
 * }
 * @throws ConfigError when the default scratch memory is full, naming the option, or a step is malformed.
 */
export async function* curate(options: CurateOptions): AsyncGenerator<CuratedDocument> {
  const { documents, steps, seed = 0, signal } = options
  signal?.throwIfAborted()
  checkSteps(steps)
  const scratch = options.scratch ?? memoryScratch({ maxBytes: defaultScratchBytes })
  const running: Running[] = []
  try {
    const random = createRandomSource({ seed })
    for (const [position, step] of steps.entries()) {
      const run = { scratch: within(scratch, `step-${position}-`), random: random.fork(`${position} ${step.name}`), ...(signal ? { signal } : {}) }
      running.push({ step, active: await step.start(run), seen: 0 })
    }
    yield* runStages(travellers(documents), running, scratch, signal)
  } finally {
    for (const { active } of running) await active.close?.()
  }
}

async function* runStages(
  source: AsyncIterable<Traveller>,
  running: readonly Running[],
  scratch: ScratchStore,
  signal: AbortSignal | undefined,
): AsyncGenerator<CuratedDocument> {
  let from = 0
  let incoming = source
  for (;;) {
    const barrier = running.findIndex(({ active }, i) => active.observe !== undefined && i >= from + (incoming === source ? 0 : 1))
    const stage = running.slice(from, barrier < 0 ? undefined : barrier)
    if (barrier < 0) {
      yield* runStage(incoming, stage, signal, undefined)
      return
    }
    const observer = running[barrier]!
    const spool = await createDocumentSpool(scratch, `stage-${barrier}`)
    let isReady = false
    try {
      let index = 0
      yield* runStage(incoming, stage, signal, async (traveller) => {
        await observer.active.observe!(traveller.document, index++)
        await spool.write(traveller)
      })
      await spool.commit()
      await observer.active.seal?.()
      isReady = true
    } finally {
      if (!isReady) await spool.discard()
    }
    from = barrier
    incoming = spool.read()
  }
}

/** Without `onward` the survivors are the result. */
async function* runStage(
  incoming: AsyncIterable<Traveller>,
  stage: readonly Running[],
  signal: AbortSignal | undefined,
  onward: ((traveller: Traveller) => Promise<void>) | undefined,
): AsyncGenerator<CuratedDocument> {
  const pause = createPause()
  for await (const traveller of incoming) {
    signal?.throwIfAborted()
    const { survivors, dropped } = await runSteps(traveller, stage)
    yield* dropped
    for (const survivor of survivors) {
      if (onward) await onward(survivor)
      else yield { document: survivor.document, decision: keptDecision(survivor) }
    }
    await pause(traveller.document.text.length)
    signal?.throwIfAborted()
  }
}

const runSteps = async (traveller: Traveller, stage: readonly Running[]) => {
  let survivors: Traveller[] = [traveller]
  const dropped: CuratedDocument[] = []
  for (const running of stage) {
    const next: Traveller[] = []
    for (const current of survivors) {
      const outcome = running.active.apply(current.document, running.seen++)
      const verdict = outcome instanceof Promise ? await outcome : outcome
      if ('drop' in verdict) {
        dropped.push({
          document: current.document,
          decision: { kept: false, step: running.step.name, ...verdict.drop, ...history(current) },
        })
        continue
      }
      if (verdict.keep.length === 0) {
        throw new ConfigError(`step ${running.step.name}, document ${current.document.id}: expected at least one kept document or a drop with its reason, got an empty list`)
      }
      for (const [position, document] of verdict.keep.entries()) next.push(travelOn(current, document, verdict.edits, position > 0 ? running.step.name : undefined))
    }
    survivors = next
    if (survivors.length === 0) break
  }
  return { survivors, dropped }
}

const travelOn = (from: Traveller, document: TextDocument, edits: readonly Edit[] | undefined, addedBy: string | undefined): Traveller => {
  const isEdited = edits !== undefined && edits.length > 0 && document.text !== from.document.text
  const origin = addedBy ?? from.addedBy
  return { document, edits: isEdited ? [...from.edits, ...edits] : from.edits, ...(origin === undefined ? {} : { addedBy: origin }) }
}

const history = ({ edits, addedBy }: Traveller) => ({ edits, ...(addedBy === undefined ? {} : { addedBy }) })

const keptDecision = (traveller: Traveller): Decision => ({ kept: true, ...history(traveller) })

async function* travellers(documents: AsyncIterable<TextDocument> | Iterable<TextDocument>): AsyncGenerator<Traveller> {
  for await (const document of documents) yield { document, edits: [] }
}

const within = (scratch: ScratchStore, prefix: string): ScratchStore => ({
  create: (name) => scratch.create(prefix + name),
  open: (name) => scratch.open(prefix + name),
  remove: (name) => scratch.remove(prefix + name),
})

const checkSteps = (steps: readonly Step[]): void => {
  for (const [index, step] of steps.entries()) {
    if (typeof step?.start !== 'function') {
      throw new ConfigError(`curate: steps[${index}]: expected a step such as gopherQuality() returns, got ${typeof step}; was the function called?`)
    }
  }
}

/**
 * Lets timers and signals through now and then: documents from memory would otherwise keep the microtask queue busy, and an
 * abort could not arrive.
 */
const createPause = () => {
  let work = 0
  return async (characters: number): Promise<void> => {
    work += 2000 + characters
    if (work < 2_000_000) return
    work = 0
    await new Promise((resolve) => setTimeout(resolve, 0))
  }
}
