// How long to train: the presets are sized for two cores, and a machine that is slower, or busy, gets a fixed part of their steps, so that
// the demo stays within its time. Chosen once, after a few trial steps, and kept in the run's folder, so that --resume goes on with the same.
import type { Tokenizer } from '@weft/contracts'
import { packDocuments, tokenCorpus, train } from '@weft/trainer'
import { causal } from '@weft/trainer/objectives'
import { createModel } from '@weft/transformer'
import type { DemoContext, DemoSize } from './context.ts'
import { formatNumber } from './terminal.ts'
import { endToken } from './steps/tokenize.ts'
import type { Cleaned } from './steps/clean.ts'

interface Plan {
  readonly part: number
  readonly stepsPerSecond: number
}

const parts = [1, 0.75, 0.5, 0.35, 0.25, 0.15]
const trialSteps = 12
const warmUpSteps = 4 // kernels are compiled and buffers made in the first ones

/** A step of tuning has twice the rows of one of pre-training, but no gradients of the base. */
const tuneStepCost = 1.5

/** The size with as many steps as the machine can do in the size's time. */
export const fitToMachine = async (context: DemoContext, cleaned: Cleaned, tokenizer: Tokenizer): Promise<DemoSize> => {
  const { run, terminal, size } = context
  if (size.trainingSeconds === undefined) return size
  if (!run.has('plan')) await run.save('plan', planOf(size, await measureSpeed(context, cleaned, tokenizer)))
  const { part, stepsPerSecond } = run.load<Plan>('plan')
  const fitted = partOf(size, part)
  terminal.line()
  terminal.line(`   in ${trialSteps} trial steps this machine makes ${formatNumber(Math.round(stepsPerSecond * 10) / 10)} steps/s: ${part === 1 ? 'all' : `${Math.round(part * 100)} %`} of the planned training fits, ${formatNumber(fitted.pretrainSteps)} steps`)
  return fitted
}

export const planOf = (size: DemoSize, stepsPerSecond: number): Plan => {
  const cost = size.pretrainSteps + 2 * size.branchSteps + tuneStepCost * size.tuneSteps
  const fits = ((size.trainingSeconds ?? Infinity) * stepsPerSecond) / cost
  return { part: parts.find((part) => part <= fits) ?? parts.at(-1)!, stepsPerSecond }
}

const partOf = (size: DemoSize, part: number): DemoSize => {
  const scaled = (steps: number): number => Math.max(4, Math.round(steps * part))
  return { ...size, pretrainSteps: scaled(size.pretrainSteps), branchSteps: scaled(size.branchSteps), tuneSteps: scaled(size.tuneSteps) }
}

/** Steps a second of a model that is thrown away. */
const measureSpeed = async ({ backend, size, seed, signal }: DemoContext, { training }: Cleaned, tokenizer: Tokenizer): Promise<number> => {
  const model = createModel({ family: 'llama', vocabSize: tokenizer.vocabSize, ...size.model }, { backend, seed })
  const corpus = tokenCorpus(training.slice(0, 40).map(({ text }) => ({ tokenIds: tokenizer.encode(text) })), { endId: tokenizer.specialTokens.get(endToken)! })
  const batches = packDocuments({ corpus, sequenceLength: size.model.contextLength, batchSize: size.batchSize, seed, dropRemainder: false })
  let start = performance.now()
  try {
    for await (const event of train({ parameters: [...model.parameters().values()], objective: causal({ network: model }), batches, optimizer: { kind: 'adamW', learningRate: 1e-3 }, steps: trialSteps, seed, signal })) {
      if (event.kind === 'step' && event.step === warmUpSteps) start = performance.now()
    }
    signal.throwIfAborted()
    return ((trialSteps - warmUpSteps) * 1000) / Math.max(1, performance.now() - start)
  } finally {
    model.dispose()
  }
}
