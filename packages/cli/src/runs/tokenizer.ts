// What `weft tokenizer …` does.
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { ConfigError, FormatError, type Tokenizer } from '@weft/contracts'
import { atomicSink } from '@weft/sources/node'
import { decodeStream, tokenizerToJson, trainTokenizer } from '@weft/tokenizer'
import { tokenizerToSentencePiece, tokenizerToTiktoken } from '@weft/tokenizer/formats'
import { describeTokenizer, measureFairness, measureTokenizer, type MeasuredText, type SentencePair } from '@weft/tokenizer/report'
import { corpusDocuments } from '../corpus.ts'
import { tokenIds } from '../option-values.ts'
import { jsonBytes, writeReport } from '../report-files.ts'
import { UsageError, type Session } from '../session.ts'
import { readStandardInput } from '../standard-input.ts'
import { openTokenizer, parseJson } from '../tokenizer-file.ts'

export interface LearnOptions {
  readonly vocabSize: number
  readonly algorithm?: 'bpe' | 'wordpiece' | 'unigram'
  readonly alphabet?: 'bytes' | 'characters'
  readonly pattern?: string
  readonly specialTokens?: readonly string[]
  readonly minFrequency?: number
}

const chatTokens = ['<|endoftext|>', '<|im_start|>', '<|im_end|>']

/** Trains on the texts of all inputs; says so where they hold fewer tokens than wanted. */
export const learnTokenizer = async (session: Session, inputs: readonly string[], options: LearnOptions) => {
  const { pattern = 'gpt2', algorithm = 'bpe', alphabet = 'bytes', specialTokens, ...rest } = options
  if (pattern !== 'gpt2' && pattern !== 'cl100k' && pattern !== 'o200k') throw new UsageError(`--pattern: expected gpt2, cl100k or o200k, got ${pattern}`)
  const isByteLevel = algorithm === 'bpe' && alphabet === 'bytes'
  const special = specialTokens ?? (isByteLevel ? chatTokens : undefined)
  const texts = async function* (): AsyncGenerator<string> {
    for (const input of inputs) for await (const { text } of corpusDocuments(session, input)) yield text
  }
  const bar = session.bar(algorithm === 'unigram' ? 'dropping pieces' : 'learning merges', 'tokens')
  const chosen = { algorithm, alphabet, ...(special === undefined ? {} : { specialTokens: special }), pattern } as const
  try {
    for await (const event of trainTokenizer({ ...rest, ...chosen, texts: texts(), signal: session.signal })) {
      if (event.kind === 'progress' && event.phase === 'merge') bar.update(event.done, event.total ?? event.done)
      if (event.kind === 'progress' && event.phase === 'prune' && event.total !== undefined) bar.update(Math.min(event.total, (event.total * event.total) / event.done), event.total)
      if (event.kind !== 'finished') continue
      if (event.reached < event.wanted) session.warn(`the texts hold ${event.reached} tokens, not ${event.wanted}: nothing more occurs often enough`)
      return event
    }
    throw new Error('the tokenizer was never finished')
  } finally {
    bar.end()
  }
}

export const train = async (session: Session, { out, ...options }: LearnOptions & { readonly out: string }, inputs: readonly string[]): Promise<void> => {
  const { tokenizer, reached, textCount, sizeBytes } = await learnTokenizer(session, inputs, pick(options))
  const sink = await atomicSink(out)
  await sink.write(tokenizerBytes(tokenizer, out))
  await sink.commit()
  if (session.isJson) session.json({ vocabSize: reached, textCount, sizeBytes, file: out })
  else session.print(`${out}: ${reached} tokens from ${textCount} texts`)
}

/** The file's name says what it is to be. */
const tokenizerBytes = (tokenizer: Tokenizer, path: string): Uint8Array => {
  if (path.endsWith('.model')) return tokenizerToSentencePiece(tokenizer)
  if (path.endsWith('.tiktoken')) return new TextEncoder().encode(tokenizerToTiktoken(tokenizer).ranks)
  return jsonBytes(tokenizerToJson(tokenizer))
}

/** Without the options of the command itself. */
const pick = ({ vocabSize, algorithm, alphabet, pattern, specialTokens, minFrequency }: LearnOptions): LearnOptions => ({
  vocabSize,
  ...(algorithm === undefined ? {} : { algorithm }),
  ...(alphabet === undefined ? {} : { alphabet }),
  ...(pattern === undefined ? {} : { pattern }),
  ...(specialTokens === undefined ? {} : { specialTokens }),
  ...(minFrequency === undefined ? {} : { minFrequency }),
})

interface CodeOptions {
  readonly tokenizer: string
  readonly text?: string
  readonly special: boolean
  readonly plain?: boolean
}

export const encode = async (session: Session, { tokenizer: path, text, special, plain = false }: CodeOptions): Promise<void> => {
  const tokenizer = await openTokenizer(path)
  const ids = tokenizer.encode(text ?? (await readStandardInput('--text')), { addSpecialTokens: special, allowSpecial: !plain })
  if (session.isJson) session.json({ tokenIds: [...ids] })
  else session.print(ids.join(' '))
}

export const decode = async (session: Session, { tokenizer: path, special }: CodeOptions, args: readonly string[]): Promise<void> => {
  const tokenizer = await openTokenizer(path)
  const ids = parseIds(args.length > 0 ? args.join(' ') : await readStandardInput('token ids as arguments'), tokenizer)
  const text = tokenizer.decode(ids, { skipSpecialTokens: !special })
  if (session.isJson) session.json({ text })
  else session.write(process.stdout.isTTY ? `${text}\n` : text)
}

/** @throws UsageError for ids that this tokenizer has not. */
const parseIds = (text: string, { vocabSize }: Tokenizer): number[] => {
  const ids = text.trim() === '' ? [] : tokenIds(text.replace(/[[\]]/g, ' '))
  const beyond = ids.find((id) => id >= vocabSize)
  if (beyond !== undefined) throw new UsageError(`token id ${beyond}: this tokenizer has ids below ${vocabSize}`)
  return ids
}

interface InfoOptions {
  readonly tokenizer: string
  readonly text?: readonly string[]
  readonly parallel?: readonly string[]
  readonly report?: string
}

export const info = async (session: Session, { tokenizer: path, text = [], parallel = [], report: folder }: InfoOptions): Promise<void> => {
  const tokenizer = await openTokenizer(path)
  const { signal } = session
  const report = text.length === 0 && folder === undefined ? undefined : await measureTokenizer({ tokenizer, texts: measuredTexts(session, text), signal })
  const fairness = parallel.length === 0 ? undefined : await measureFairness({ tokenizer, pairs: sentencePairs(parallel), signal })
  if (folder !== undefined && report !== undefined) {
    await writeReport(folder, { ...report, ...(fairness === undefined ? {} : { fairness }) }, describeTokenizer(report, { title: `Tokenizer ${path}`, ...(fairness === undefined ? {} : { fairness }) }))
    session.note(`${folder}: report.json, report.md and report.html`)
  }
  const { vocabSize, specialTokens, beginId, endIds, padId, unknownId } = tokenizer
  const measured = report === undefined || text.length === 0 ? undefined : { bytes: report.all.bytes, tokens: report.all.tokens, bytesPerToken: report.all.bytesPerToken }
  if (session.isJson) {
    session.json({ vocabSize, specialTokens: Object.fromEntries(specialTokens), beginId, endIds, padId, unknownId, ...measured, ...(fairness === undefined ? {} : { fairness }) })
    return
  }
  const name = (id: number | undefined): string => (id === undefined ? '–' : `${id} ${decodeStream(tokenizer).push(id)}`)
  session.print(`tokens          ${vocabSize}`)
  session.print(`special tokens  ${[...specialTokens].map(([token, id]) => `${token} ${id}`).join(', ') || '–'}`)
  session.print(`begin           ${name(beginId)}`)
  session.print(`end             ${endIds.map(name).join(', ') || '–'}`)
  if (measured !== undefined) session.print(`compression     ${measured.bytesPerToken.toFixed(3)} bytes a token (${measured.bytes} bytes, ${measured.tokens} tokens)`)
  for (const { language, premium, sentences } of fairness?.languages ?? []) session.print(`${language.padEnd(15)} ${premium.toFixed(2)} times the tokens of English (${sentences} sentences)`)
}

/** Texts with the input that they came from as their domain. */
const measuredTexts = async function* (session: Session, inputs: readonly string[]): AsyncGenerator<MeasuredText> {
  for (const input of inputs) for await (const { text } of corpusDocuments(session, input)) yield { text, ...(inputs.length > 1 ? { domain: input } : {}) }
}

/** Pairs from JSON lines; a file's name is the language where its lines do not say it. */
const sentencePairs = async function* (paths: readonly string[]): AsyncGenerator<SentencePair> {
  for (const path of paths) {
    const named = basename(path).split(/[-.]/)[0]!
    const lines = (await readMaybeCompressed(path)).split('\n')
    for (const [i, line] of lines.entries()) {
      if (line.trim() === '') continue
      const row = parseJson(line, `${path}, line ${i + 1}`) as { readonly language?: unknown; readonly text?: unknown; readonly src?: unknown; readonly english?: unknown; readonly eng?: unknown } | null
      const [own, english] = [row?.text ?? row?.src, row?.english ?? row?.eng]
      if (typeof own !== 'string' || typeof english !== 'string') throw new FormatError('expected { text, english } (or { src, eng })', { source: path, line: i + 1 })
      yield { language: typeof row?.language === 'string' ? row.language : named, text: own, english }
    }
  }
}

const readMaybeCompressed = async (path: string): Promise<string> => {
  const bytes = await readFile(path).catch(() => {
    throw new ConfigError(`${path}: there is no such file`)
  })
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
}
