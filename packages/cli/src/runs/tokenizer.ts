// What `weft tokenizer …` does.
import { atomicSink } from '@weft/sources/node'
import { decodeStream, tokenizerToJson, trainTokenizer } from '@weft/tokenizer'
import type { Tokenizer } from '@weft/contracts'
import { corpusDocuments } from '../corpus.ts'
import { tokenIds } from '../option-values.ts'
import { jsonBytes } from '../report-files.ts'
import { UsageError, type Session } from '../session.ts'
import { readStandardInput } from '../standard-input.ts'
import { openTokenizer } from '../tokenizer-file.ts'

export interface LearnOptions {
  readonly vocabSize: number
  readonly pattern?: string
  readonly specialTokens?: readonly string[]
  readonly minFrequency?: number
}

/** Trains on the texts of all inputs; says so where they hold fewer tokens than wanted. */
export const learnTokenizer = async (session: Session, inputs: readonly string[], options: LearnOptions) => {
  const { pattern = 'gpt2', ...rest } = options
  if (pattern !== 'gpt2' && pattern !== 'cl100k' && pattern !== 'o200k') throw new UsageError(`--pattern: expected gpt2, cl100k or o200k, got ${pattern}`)
  const texts = async function* (): AsyncGenerator<string> {
    for (const input of inputs) for await (const { text } of corpusDocuments(session, input)) yield text
  }
  const bar = session.bar('learning merges', 'tokens')
  try {
    for await (const event of trainTokenizer({ ...rest, pattern, texts: texts(), signal: session.signal })) {
      if (event.kind === 'progress' && event.phase === 'merge') bar.update(event.done, event.total ?? event.done)
      if (event.kind !== 'finished') continue
      if (event.reached < event.wanted) session.warn(`the texts hold ${event.reached} tokens, not ${event.wanted}: no further pair occurs often enough`)
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
  await sink.write(jsonBytes(tokenizerToJson(tokenizer)))
  await sink.commit()
  if (session.isJson) session.json({ vocabSize: reached, textCount, sizeBytes, file: out })
  else session.print(`${out}: ${reached} tokens from ${textCount} texts`)
}

/** Without the options of the command itself. */
const pick = ({ vocabSize, pattern, specialTokens, minFrequency }: LearnOptions): LearnOptions => ({
  vocabSize,
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

export const info = async (session: Session, { tokenizer: path, text = [] }: { readonly tokenizer: string; readonly text?: readonly string[] }): Promise<void> => {
  const tokenizer = await openTokenizer(path)
  const measured = text.length === 0 ? undefined : await compression(session, tokenizer, text)
  const { vocabSize, specialTokens, beginId, endIds, padId, unknownId } = tokenizer
  if (session.isJson) {
    session.json({ vocabSize, specialTokens: Object.fromEntries(specialTokens), beginId, endIds, padId, unknownId, ...measured })
    return
  }
  const name = (id: number | undefined): string => (id === undefined ? '–' : `${id} ${decodeStream(tokenizer).push(id)}`)
  session.print(`tokens          ${vocabSize}`)
  session.print(`special tokens  ${[...specialTokens].map(([token, id]) => `${token} ${id}`).join(', ') || '–'}`)
  session.print(`begin           ${name(beginId)}`)
  session.print(`end             ${endIds.map(name).join(', ') || '–'}`)
  if (measured !== undefined) session.print(`compression     ${measured.bytesPerToken.toFixed(3)} bytes a token (${measured.bytes} bytes, ${measured.tokens} tokens)`)
}

const compression = async (session: Session, tokenizer: Tokenizer, inputs: readonly string[]) => {
  let [bytes, tokens] = [0, 0]
  for (const input of inputs) {
    for await (const { text } of corpusDocuments(session, input)) {
      bytes += Buffer.byteLength(text)
      tokens += tokenizer.encode(text, { addSpecialTokens: false }).length
    }
  }
  return { bytes, tokens, bytesPerToken: tokens === 0 ? 0 : bytes / tokens }
}
