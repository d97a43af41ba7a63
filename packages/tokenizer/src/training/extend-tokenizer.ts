// A vocabulary for a new domain: further tokens behind those that are there, so that a trained model keeps all it knows. Each new token
// comes with the old ones that wrote it until now: the mean of their embeddings is where its own begins.
import { ConfigError, UnsupportedError, type Json, type Tokenizer } from '@weft/contracts'
import { tokenizerFromJson } from '../formats/tokenizer-json.ts'
import { tokenizerToJson } from '../formats/tokenizer-json-writer.ts'
import { createIdBuffer } from '../models/piece-encoder.ts'
import { createPieceList, pushPiece } from '../pre-tokenizers/pieces.ts'
import { createByteStringTable } from '../text/byte-string-table.ts'
import { toAlphabet } from '../text/byte-alphabet.ts'
import { engineOf, type Engine } from '../tokenizer/byte-level-tokenizer.ts'
import { bytesOfToken, maxVocabSize } from '../tokenizer/token-table.ts'
import { wellFormed } from '../text/well-formed.ts'
import { learnMergesOf } from './learn-merges.ts'

export interface ExtendTokenizerOptions {
  readonly tokenizer: Tokenizer
  /** Texts of the domain, from which byte-level BPE learns further merges. Read once. */
  readonly texts?: Iterable<string> | AsyncIterable<string>
  /** How many tokens to learn from them at most. */
  readonly newTokens?: number
  /** A pair must occur at least this often; default 2. */
  readonly minFrequency?: number
  /** Texts that become tokens as they are, wherever they stand; for every kind of tokenizer. */
  readonly words?: readonly string[]
  readonly signal?: AbortSignal
}

export interface NewToken {
  readonly id: number
  readonly bytes: Uint8Array
  /** The old tokens that write it. */
  readonly parts: readonly number[]
}

export interface ExtendedTokenizer {
  readonly tokenizer: Tokenizer
  /** By id: `vocabSize` of the old tokenizer, and on. */
  readonly newTokens: readonly NewToken[]
}

interface TokenizerJsonParts {
  readonly added_tokens: readonly Json[]
  readonly model: { readonly vocab: Readonly<Record<string, number>>; readonly merges: readonly (string | readonly [string, string])[] }
}

/**
 * The tokenizer with more tokens; texts without them keep their ids.
 * @throws UnsupportedError for learning from texts with a tokenizer that is not byte-level BPE.
 */
export const extendTokenizer = async (options: ExtendTokenizerOptions): Promise<ExtendedTokenizer> => {
  const { tokenizer, texts, newTokens: count = 0, words = [], minFrequency = 2, signal } = options
  if (!Number.isInteger(count) || count < 0 || tokenizer.vocabSize + count > maxVocabSize) throw new ConfigError(`newTokens: expected an integer from 0 up, got ${count}`)
  let json = JSON.parse(JSON.stringify(tokenizerToJson(tokenizer))) as TokenizerJsonParts
  const newTokens: NewToken[] = []
  if (texts !== undefined && count > 0) {
    const engine = engineOf(tokenizer)
    if (engine === undefined) throw new UnsupportedError('extendTokenizer: learning from texts needs a byte-level BPE tokenizer made by @weft/tokenizer; give `words` for any other')
    const learned = await learnMore(tokenizer, engine, { texts, count, minFrequency, signal })
    json = withMerges(json, engine, learned)
    newTokens.push(...learned.tokens)
  }
  const added = words.map((word, i): NewToken => {
    if (word === '' || wellFormed(word) !== word || words.indexOf(word) !== i) throw new ConfigError(`words[${i}]: expected a text that is there once, got ${JSON.stringify(word)}`)
    const parts = [...tokenizer.encode(word, { addSpecialTokens: false })]
    return { id: tokenizer.vocabSize + newTokens.length + i, bytes: new TextEncoder().encode(word), parts }
  })
  const addedJson = added.map(({ id }, i): Json => ({ id, content: words[i]!, single_word: false, lstrip: false, rstrip: false, normalized: false, special: false }))
  const extended = tokenizerFromJson({ ...json, added_tokens: [...json.added_tokens, ...addedJson] }, { roles: rolesOf(tokenizer) })
  return { tokenizer: extended, newTokens: [...newTokens, ...added] }
}

/** Roles are told by names, which stay. */
const rolesOf = (tokenizer: Tokenizer) => {
  const names = new Map([...tokenizer.specialTokens].map(([name, id]) => [id, name]))
  const role = (key: 'begin' | 'pad' | 'unknown', id: number | undefined) => (id !== undefined && names.has(id) ? { [key]: names.get(id)! } : {})
  const end = tokenizer.endIds.flatMap((id) => names.get(id) ?? [])
  return { ...role('begin', tokenizer.beginId), ...role('pad', tokenizer.padId), ...role('unknown', tokenizer.unknownId), ...(end.length === 0 ? {} : { end }) }
}

interface Learned {
  readonly triples: Int32Array
  readonly tokens: readonly NewToken[]
}

const learnMore = async (
  tokenizer: Tokenizer,
  engine: Engine,
  { texts, count, minFrequency, signal }: { texts: Iterable<string> | AsyncIterable<string>; count: number; minFrequency: number; signal: AbortSignal | undefined },
): Promise<Learned> => {
  const table = createByteStringTable()
  const counts: number[] = []
  for await (const text of texts) {
    signal?.throwIfAborted()
    for (const { tokenId, input } of engine.segments(text, true, false)) {
      if (tokenId >= 0) continue
      const { bytes, pieces } = engine.cut(input.text)
      for (let piece = 0; piece < pieces.count; piece++) {
        const index = table.intern(bytes, pieces.spans[piece * 2]!, pieces.spans[piece * 2 + 1]!)
        counts[index] = (counts[index] ?? 0) + 1
      }
    }
  }
  const { pipeline } = engine
  const vocabulary = growingVocabulary(pipeline.model.tokens.size, tokenizer.vocabSize, (id) => bytesOfToken(pipeline.model.tokens, id), pipeline.model.inVocabulary)
  const learning = learnMergesOf({ pieces: encodePieces(engine, table, counts), vocabulary, maxNewTokens: count, minFrequency })
  let step = learning.next()
  for (; step.done !== true; step = learning.next()) {
    await new Promise((resolve) => setTimeout(resolve, 0))
    signal?.throwIfAborted()
  }
  return { triples: step.value, tokens: vocabulary.tokens }
}

/** Each distinct piece as the tokens that it has now. */
const encodePieces = (engine: Engine, table: ReturnType<typeof createByteStringTable>, counts: readonly number[]) => {
  const symbols: number[] = []
  const starts = new Int32Array(table.size + 1)
  const buffer = createIdBuffer()
  for (let index = 0; index < table.size; index++) {
    const bytes = table.at(index).slice()
    const whole = createPieceList()
    pushPiece(whole, 0, bytes.length)
    buffer.count = 0
    engine.encodePieces(bytes, whole, buffer)
    for (let i = 0; i < buffer.count; i++) symbols.push(buffer.ids[i]!)
    starts[index + 1] = symbols.length
  }
  return { symbols: Int32Array.from(symbols), starts, counts: Float64Array.from(counts) }
}

const growingVocabulary = (oldSize: number, firstId: number, oldBytes: (id: number) => Uint8Array, inVocabulary: Uint8Array) => {
  const table = createByteStringTable()
  const ids: number[] = []
  for (let id = 0; id < oldSize; id++) {
    const bytes = oldBytes(id)
    if (inVocabulary[id] === 1 && bytes.length > 0) ids[table.intern(bytes, 0, bytes.length)] = id
  }
  const tokens: NewToken[] = []
  const bytesOf = (id: number): Uint8Array => (id < firstId ? oldBytes(id) : tokens[id - firstId]!.bytes)
  const partsOf = (id: number): readonly number[] => (id < firstId ? [id] : tokens[id - firstId]!.parts)
  return {
    tokens,
    get newTokens() {
      return tokens.length
    },
    join: (left: number, right: number): number => {
      const [a, b] = [bytesOf(left), bytesOf(right)]
      const bytes = new Uint8Array(a.length + b.length)
      bytes.set(a)
      bytes.set(b, a.length)
      const index = table.intern(bytes, 0, bytes.length)
      if (ids[index] !== undefined) return ids[index]
      const id = firstId + tokens.length
      ids[index] = id
      tokens.push({ id, bytes, parts: [...partsOf(left), ...partsOf(right)] })
      return id
    },
  }
}

const withMerges = (json: TokenizerJsonParts, engine: Engine, { triples, tokens }: Learned): TokenizerJsonParts => {
  const { model } = engine.pipeline
  const firstId = tokens[0]?.id ?? Infinity
  const written = (id: number): string => toAlphabet(id < firstId ? bytesOfToken(model.tokens, id) : tokens[id - firstId]!.bytes)
  const vocab = Object.assign(Object.create(null), json.model.vocab) as Record<string, number>
  for (const { id } of tokens) vocab[written(id)] = id
  const merges = json.model.merges.map((merge) => (typeof merge === 'string' ? (merge.split(' ') as [string, string]) : merge))
  for (let i = 0; i < triples.length; i += 3) merges.push([written(triples[i]!), written(triples[i + 1]!)])
  return { ...json, model: { ...json.model, vocab, merges } }
}
