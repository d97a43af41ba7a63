// What `weft train` does: text → token ids → a model that has learned them.
import { join } from 'node:path'
import { ConfigError, createRandomSource, type Tokenizer } from '@weft/contracts'
import { writeFiles } from '@weft/sources/node'
import { tokenizerToJson } from '@weft/tokenizer'
import { describeTraining, packDocuments, tokenCorpus, type TokenCorpus } from '@weft/trainer'
import { createModel, modelFiles, type FamilyName } from '@weft/transformer'
import { startBackend } from '../backends.ts'
import { corpusDocuments } from '../corpus.ts'
import { presets } from '../presets.ts'
import { formatNumber } from '../progress-bar.ts'
import { jsonBytes, reportFiles } from '../report-files.ts'
import { givenSettings, readSettings, requireNewFolder, settingsFile, type Settings } from '../run-settings.ts'
import { UsageError, type Session } from '../session.ts'
import { openTokenizer } from '../tokenizer-file.ts'
import { loopKeys, loopSettings, lossesOf, runLoop, type LoopSettings } from '../training-loop.ts'
import { learnTokenizer } from './tokenizer.ts'

interface TrainSettings extends LoopSettings {
  readonly text: string
  readonly tokenizer: string | null
  readonly vocabSize: number | null
  readonly preset: string
  readonly family: FamilyName
  readonly contextLength: number
}

interface TrainOptions extends Partial<Omit<TrainSettings, 'tokenizer' | 'vocabSize' | 'family'>> {
  readonly tokenizer?: string
  readonly vocabSize?: number
  readonly family?: string
  readonly out: string
  readonly resume?: true
  readonly backend?: string
}

const keys = [...loopKeys, 'text', 'tokenizer', 'vocabSize', 'preset', 'family', 'contextLength']

export const trainModel = async (session: Session, options: TrainOptions): Promise<void> => {
  const { out, resume = false } = options
  const given = givenSettings(options, keys)
  const run = resume ? await readSettings(out, 'train', given) : undefined
  const settings = run === undefined ? newSettings(options) : (run.settings as unknown as TrainSettings)
  if (run === undefined) await requireNewFolder(out)
  const tokenizer = await tokenizerFor(session, settings, run === undefined ? undefined : out)
  const corpus = await encodeCorpus(session, settings, tokenizer)
  const batches = batchesOf(session, settings, corpus)
  const facts = { tokens: corpus.training.tokenIds.length, heldOutTokens: corpus.heldOut?.tokenIds.length ?? 0 }
  if (run === undefined) await writeFiles(out, { ...settingsFile('train', settings as unknown as Settings, facts), ...(settings.tokenizer === null ? { 'tokenizer.json': jsonBytes(tokenizerToJson(tokenizer)) } : {}) })
  else if (JSON.stringify(run.facts) !== JSON.stringify(facts)) throw new ConfigError(`${settings.text}: is not the text that this run began with (${JSON.stringify(run.facts)} then, ${JSON.stringify(facts)} now); restore it, or start anew in another folder`)
  await trainOn(session, { settings, tokenizer, corpus, batches, out, isResumed: resume, backendName: options.backend })
}

const newSettings = (options: TrainOptions): TrainSettings => {
  const { text, tokenizer, vocabSize, preset = 'tiny', family = 'llama' } = options
  if (text === undefined) throw new UsageError('give the text to learn with --text (or go on with a run by --resume)')
  if ((tokenizer === undefined) === (vocabSize === undefined)) throw new UsageError('give either --tokenizer or --vocab-size')
  const size = presets[preset]
  if (size === undefined) throw new UsageError(`--preset: expected one of ${Object.keys(presets).join(', ')}, got ${preset}`)
  if (family !== 'gpt2' && family !== 'llama') throw new UsageError(`--family: expected gpt2 or llama, got ${family}`)
  return {
    ...loopSettings(options, { steps: 1000, batchSize: 8, learningRate: 2e-3, weightDecay: 0.1, validationFraction: 0.05 }),
    text,
    tokenizer: tokenizer ?? null,
    vocabSize: vocabSize ?? null,
    preset,
    family,
    contextLength: options.contextLength ?? size.contextLength,
  }
}

/** The one that was given; else the one that this run has trained, or trains now. */
const tokenizerFor = async (session: Session, settings: TrainSettings, runFolder: string | undefined): Promise<Tokenizer> => {
  if (settings.tokenizer !== null) return openTokenizer(settings.tokenizer)
  if (runFolder !== undefined) return openTokenizer(join(runFolder, 'tokenizer.json'))
  const specialTokens = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'] // the last two for tuning into a chat
  return (await learnTokenizer(session, [settings.text], { vocabSize: settings.vocabSize!, specialTokens })).tokenizer
}

interface SplitCorpus {
  readonly training: TokenCorpus
  readonly heldOut: TokenCorpus | undefined
}

// Fewer documents are no sample: the end of the text is held out instead.
const fewestDocuments = 20

const encodeCorpus = async (session: Session, { text, validationFraction, seed }: TrainSettings, tokenizer: Tokenizer): Promise<SplitCorpus> => {
  const documents: { tokenIds: Uint32Array; weight?: number }[] = []
  for await (const { text: content, metadata } of corpusDocuments(session, text, { label: 'encoding' })) {
    const weight = metadata?.['weight']
    documents.push({ tokenIds: tokenizer.encode(content, { addSpecialTokens: false, allowSpecial: false }), ...(typeof weight === 'number' ? { weight } : {}) })
  }
  if (documents.length === 0) throw new ConfigError(`${text}: expected text, got no document`)
  const endId = tokenizer.endIds[0]
  const corpusOf = (list: typeof documents): TokenCorpus => tokenCorpus(list, endId === undefined ? {} : { endId })
  if (validationFraction === 0) return { training: corpusOf(documents), heldOut: undefined }
  const [training, heldOut] = documents.length < fewestDocuments ? cutEnd(documents, validationFraction) : drawDocuments(documents, validationFraction, seed)
  return { training: corpusOf(training), heldOut: heldOut.length === 0 ? undefined : corpusOf(heldOut) }
}

const drawDocuments = <T>(documents: readonly T[], fraction: number, seed: number): [T[], T[]] => {
  const random = createRandomSource({ seed }).fork('held-out documents')
  const parts: [T[], T[]] = [[], []]
  for (const document of documents) parts[random.nextFloat() < fraction ? 1 : 0].push(document)
  return parts
}

const cutEnd = <T extends { readonly tokenIds: Uint32Array }>(documents: readonly T[], fraction: number): [T[], T[]] => {
  const parts: [T[], T[]] = [[], []]
  for (const document of documents) {
    const cut = Math.floor(document.tokenIds.length * (1 - fraction))
    parts[0].push({ ...document, tokenIds: document.tokenIds.subarray(0, cut) })
    parts[1].push({ ...document, tokenIds: document.tokenIds.subarray(cut) })
  }
  return parts
}

interface TrainOn {
  readonly settings: TrainSettings
  readonly tokenizer: Tokenizer
  readonly corpus: SplitCorpus
  readonly batches: ReturnType<typeof batchesOf>
  readonly out: string
  readonly isResumed: boolean
  readonly backendName: string | undefined
}

const trainOn = async (session: Session, { settings, tokenizer, corpus, batches, out, isResumed, backendName }: TrainOn): Promise<void> => {
  const { contextLength, seed, family } = settings
  const { dModel, numLayers, numHeads } = presets[settings.preset]!
  const backend = await startBackend(session, backendName)
  const model = createModel({ family, vocabSize: tokenizer.vocabSize, contextLength, dModel, numLayers, numHeads }, { backend, seed })
  const parameters = [...model.parameters().values()]
  session.note(`${formatNumber(countOf(parameters))} parameters, ${formatNumber(corpus.training.tokenIds.length)} tokens to learn, ${formatNumber(corpus.heldOut?.tokenIds.length ?? 0)} held out`)
  const files = () => modelFiles({ model, tokenizer })
  const events = await runLoop(session, { out, command: 'train', isResumed, settings, network: model, parameters, batches: batches.training, validation: batches.validation, extra: files })
  const losses = lossesOf(events)
  await writeFiles(out, { ...files(), ...reportFiles({ settings, ...losses }, describeTraining(events)) })
  if (session.isJson) session.json({ ...losses, out })
  else session.print(`${out}: a model after ${losses.steps} steps${losses.lossNats === null ? '' : `, loss ${losses.lossNats.toFixed(3)}`}${losses.validationLossNats === null ? '' : `, held out ${losses.validationLossNats.toFixed(3)} nats a token`}`)
}

const countOf = (parameters: readonly { readonly value: { readonly shape: readonly number[] } }[]): number =>
  parameters.reduce((sum, { value }) => sum + value.shape.reduce((product, size) => product * size, 1), 0)

/** Before anything is written: text that does not fill a batch shows here. */
const batchesOf = (session: Session, { contextLength, batchSize, seed }: TrainSettings, { training, heldOut }: SplitCorpus) => {
  const pack = { sequenceLength: contextLength, batchSize, seed }
  return {
    training: packDocuments({ ...pack, corpus: training }),
    validation: heldOut === undefined ? undefined : validationBatches(session, { ...pack, corpus: heldOut }),
  }
}

/** One pass in order; none, with a word, where too little is held out for a single row. */
const validationBatches = (session: Session, options: { readonly corpus: TokenCorpus; readonly sequenceLength: number; readonly batchSize: number; readonly seed: number }) => {
  if (options.corpus.tokenIds.length <= options.sequenceLength) {
    session.warn(`no validation: ${options.corpus.tokenIds.length} tokens are held out, less than one row of ${options.sequenceLength} + 1`)
    return undefined
  }
  return packDocuments({ ...options, epochs: 1, shuffle: false })
}
