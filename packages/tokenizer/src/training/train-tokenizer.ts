// Training a byte-level BPE tokenizer: count the pieces of all texts, then learn merges from the counts.
import { ConfigError, UnsupportedError, type Json, type Tokenizer } from '@weft/contracts'
import type { AddedToken } from '../tokenizer/added-tokens.ts'
import { byteOfUnit, bytesInAlphabetOrder } from '../text/byte-alphabet.ts'
import { createByteLevelTokenizer } from '../tokenizer/byte-level-tokenizer.ts'
import { knownSplitter } from '../pre-tokenizers/known-patterns.ts'
import { learnMerges, type LearnedMerges } from './learn-merges.ts'
import { createMergeTable } from '../models/merge-table.ts'
import { regexMatcher } from '../pre-tokenizers/matcher.ts'
import { patternSplitter } from '../pre-tokenizers/pattern-splitter.ts'
import { compilePattern } from '../pre-tokenizers/pattern-syntax.ts'
import { createPieceCounts } from './piece-counts.ts'
import type { BpeModel } from '../models/piece-encoder.ts'
import { emptyTemplate } from '../post-processors/template-frame.ts'
import { describePreTokenizer, patternText, type SplitPattern } from '../pre-tokenizers/pre-tokenizer.ts'
import { resolveRoles, type TokenRoles } from '../tokenizer/token-roles.ts'
import { createTokenTable, maxVocabSize } from '../tokenizer/token-table.ts'
import { wellFormed } from '../text/well-formed.ts'

export interface TrainTokenizerOptions {
  /** Default and so far the only one: byte-level byte-pair encoding. */
  readonly algorithm?: 'bpe'
  /** Read once, one text at a time; only the counts of distinct pieces stay in memory. */
  readonly texts: Iterable<string> | AsyncIterable<string>
  /** All tokens together: special ones, the 256 bytes, merges. */
  readonly vocabSize: number
  /** How text is cut before merging: merges never cross a cut. Default gpt2. */
  readonly pattern?: SplitPattern
  /** They get the first ids, in this order; written out in a training text they are skipped. */
  readonly specialTokens?: readonly string[]
  /** A pair must occur at least this often to be merged; default 1. */
  readonly minFrequency?: number
  /** Which of the special tokens begin, end and pad; default: by well-known names such as `<|endoftext|>`. */
  readonly roles?: TokenRoles
  readonly signal?: AbortSignal
}

export type TokenizerTrainEvent =
  | {
      readonly kind: 'progress'
      /** `read`: bytes of text counted so far, the total is not known; `merge`: tokens made, of `total`. */
      readonly phase: 'read' | 'merge'
      readonly done: number
      readonly total?: number
    }
  | {
      readonly kind: 'finished'
      readonly tokenizer: Tokenizer
      /** The size of the vocabulary: less than `wanted` where the texts hold no more pairs that occur often enough. */
      readonly reached: number
      readonly wanted: number
      readonly textCount: number
      readonly sizeBytes: number
    }

const bytesPerEvent = 4_000_000
const noTexts = 'texts: expected an iterable of strings'

/**
 * Learns a byte-level BPE vocabulary. The merges and their order are those of Hugging Face's BpeTrainer with the byte alphabet;
 * time grows with the text, hardly with `vocabSize`. A vocabulary larger than the texts allow ends early: see `reached`.
 * @throws ConfigError for a wrong option or a text that is no string.
 */
export async function* trainTokenizer(options: TrainTokenizerOptions): AsyncGenerator<TokenizerTrainEvent, void, void> {
  const { specialTokens, pattern, minFrequency, firstId } = checkOptions(options)
  const { signal, vocabSize } = options
  signal?.throwIfAborted()
  const splitter = knownSplitter(pattern) ?? patternSplitter(regexMatcher(compilePattern(pattern, 'pattern')), 'Isolated', false)
  const counts = createPieceCounts(splitter, specialTokens)
  let sizeBytes = 0
  let textCount = 0
  let reported = 0
  for await (const text of options.texts) {
    signal?.throwIfAborted()
    if (typeof text !== 'string') throw new ConfigError(`${noTexts}, got ${typeof text} as text ${textCount}`)
    sizeBytes += counts.add(text)
    textCount++
    if (sizeBytes - reported >= bytesPerEvent) {
      reported = sizeBytes
      yield { kind: 'progress', phase: 'read', done: sizeBytes }
      await turn(signal)
    }
  }
  yield { kind: 'progress', phase: 'read', done: sizeBytes, total: sizeBytes }
  const byteIds = numberBytes(specialTokens.length)
  const total = vocabSize - firstId
  const learning = learnMerges({ pieces: counts.finish(), byteIds, firstId, maxNewTokens: total, minFrequency })
  let step = learning.next()
  while (step.done !== true) {
    yield { kind: 'progress', phase: 'merge', done: step.value, total }
    await turn(signal)
    step = learning.next()
  }
  const learned = step.value
  yield { kind: 'progress', phase: 'merge', done: learned.tokens.length, total }
  const tokenizer = assemble(specialTokens, byteIds, learned, pattern, options.roles)
  yield { kind: 'finished', tokenizer, reached: firstId + learned.tokens.length, wanted: vocabSize, textCount, sizeBytes }
}

/** Lets timers and input have their turn, among them whatever aborts. */
const turn = async (signal: AbortSignal | undefined): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, 0))
  signal?.throwIfAborted()
}

const checkOptions = (options: TrainTokenizerOptions) => {
  const { algorithm = 'bpe', vocabSize, minFrequency = 1, specialTokens = [], texts } = options
  if (algorithm !== 'bpe') throw new UnsupportedError(`algorithm: only 'bpe' can be trained so far, got ${JSON.stringify(algorithm)}`)
  const isIterable = typeof texts === 'object' && texts !== null && (Symbol.iterator in texts || Symbol.asyncIterator in texts)
  if (!isIterable) throw new ConfigError(`${noTexts}, got ${typeof texts}`)
  const smallest = 256 + specialTokens.length
  if (!Number.isInteger(vocabSize) || vocabSize < smallest || vocabSize > maxVocabSize) {
    throw new ConfigError(`vocabSize: expected an integer from ${smallest} (the bytes and the special tokens) to ${maxVocabSize}, got ${vocabSize}`)
  }
  if (!(minFrequency >= 0)) throw new ConfigError(`minFrequency: expected a number from 0 up, got ${minFrequency}`)
  specialTokens.forEach((token, i) => {
    if (typeof token !== 'string' || token === '' || wellFormed(token) !== token || specialTokens.indexOf(token) !== i) {
      throw new ConfigError(`specialTokens[${i}]: expected a non-empty text that is there once, got ${JSON.stringify(token)}`)
    }
    if (looksLearned(token)) {
      throw new ConfigError(
        `specialTokens[${i}]: expected a text that is not also written for a byte or a learned token, got ${JSON.stringify(token)}; put <| |> around it`,
      )
    }
  })
  const pattern = patternText(options.pattern ?? 'gpt2')
  if (pattern === undefined) throw new ConfigError(`pattern: expected gpt2, cl100k, o200k or a RegExp, got ${String(options.pattern)}`)
  return { specialTokens: specialTokens.map(asAddedToken), pattern, minFrequency, firstId: smallest }
}

/**
 * Whether a vocabulary file might write other bytes with this very text: `é` is how it writes the byte e9, `Ġthe` the token " the".
 * The two could not be told apart there. Learned tokens are cut out of well-formed UTF-8, so only such bytes are in question.
 */
const looksLearned = (token: string): boolean => {
  if (token.length > 1 && /^[\x21-\x7e]*$/.test(token)) return false // the bytes of such a text are its own
  const bytes = Array.from(token, (_, i) => byteOfUnit[token.charCodeAt(i)] ?? -1)
  if (bytes.includes(-1)) return false
  const text = new TextDecoder().decode(Uint8Array.from(bytes))
  return !/[^\ufffd]\ufffd+[^\ufffd]/.test(text)
}

const asAddedToken = (content: string, id: number): AddedToken => ({
  id,
  content,
  special: true,
  lstrip: false,
  rstrip: false,
  singleWord: false,
  normalized: false,
})

/** Bytes get their ids behind the special tokens, in the order of their characters in the byte alphabet. */
const numberBytes = (firstId: number): Int32Array => {
  const ids = new Int32Array(256)
  bytesInAlphabetOrder.forEach((byte, i) => {
    ids[byte] = firstId + i
  })
  return ids
}

const assemble = (
  specialTokens: readonly AddedToken[],
  byteIds: Int32Array,
  learned: LearnedMerges,
  pattern: string,
  roles: TokenRoles | undefined,
): Tokenizer => {
  const firstId = specialTokens.length + 256
  const size = firstId + learned.tokens.length
  const builder = createTokenTable(size)
  for (const { id, content } of specialTokens) builder.setText(id, content)
  byteIds.forEach((id, byte) => builder.addBytes(id, Uint8Array.of(byte)))
  learned.tokens.forEach((bytes, i) => builder.addBytes(firstId + i, bytes))
  const model: BpeModel = {
    tokens: builder.finish(),
    inVocabulary: new Uint8Array(size).fill(1),
    byteIds,
    merges: createMergeTable(learned.triples),
    mergeTriples: learned.triples,
    unknownId: -1,
    fuseUnknown: false,
  }
  const special = new Map(specialTokens.map((token) => [token.content, token.id]))
  const description = describePreTokenizer(pattern)
  const splitter = knownSplitter(pattern) ?? patternSplitter(regexMatcher(compilePattern(pattern, 'pattern')), 'Isolated', false)
  return createByteLevelTokenizer({
    model,
    addedTokens: specialTokens,
    preTokenizer: { splitters: [splitter], prefixSpace: false },
    template: emptyTemplate,
    roles: resolveRoles({ special, added: special, roles }),
    components: { ...noComponents, pre_tokenizer: description },
  })
}

const noComponents: { readonly [name in 'truncation' | 'padding' | 'normalizer' | 'post_processor' | 'decoder']: Json } = {
  truncation: null,
  padding: null,
  normalizer: null,
  post_processor: null,
  decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
}
