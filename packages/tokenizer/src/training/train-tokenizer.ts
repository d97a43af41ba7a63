// Training a tokenizer: count the pieces of all texts, then learn a vocabulary from the counts. What happens in between is the ways' own.
import { ConfigError, type Tokenizer } from '@weft/contracts'
import type { AddedToken } from '../tokenizer/added-tokens.ts'
import { byteOfUnit } from '../text/byte-alphabet.ts'
import { patternText, type SplitPattern } from '../pre-tokenizers/pre-tokenizer.ts'
import type { TokenRoles } from '../tokenizer/token-roles.ts'
import { maxVocabSize } from '../tokenizer/token-table.ts'
import { wellFormed } from '../text/well-formed.ts'
import { createByteLevelTraining } from './train-byte-level.ts'
import { createCharacterBpeTraining, createUnigramTraining, createWordPieceTraining } from './train-words.ts'
import type { Training } from './training.ts'

export interface TrainTokenizerOptions {
  /**
   * `bpe` (the default): byte-pair encoding, over bytes or over characters; `wordpiece`: BERT's; `unigram`: SentencePiece's, by
   * likelihood.
   */
  readonly algorithm?: 'bpe' | 'wordpiece' | 'unigram'
  /** What a bpe vocabulary begins with: `bytes` (the default; GPT's kind) or `characters` (Llama's kind, a SentencePiece model). */
  readonly alphabet?: 'bytes' | 'characters'
  /** Read once, one text at a time; only the counts of distinct pieces stay in memory. */
  readonly texts: Iterable<string> | AsyncIterable<string>
  /** All tokens together: special ones, bytes or characters, what is learned. */
  readonly vocabSize: number
  /** Byte-level bpe: how text is cut before merging; merges never cross a cut. Default gpt2. */
  readonly pattern?: SplitPattern
  /**
   * They get the first ids, in this order; written out in a training text they are skipped. Where the way of training needs an unknown
   * token (`[UNK]`, `<unk>`) that is not among them, it is put before them. Default: none for bytes, BERT's five for wordpiece,
   * `<unk>`, `<s>`, `</s>` for the others.
   */
  readonly specialTokens?: readonly string[]
  /** A pair must occur at least this often to be merged; default 1. Not for unigram. */
  readonly minFrequency?: number
  /** wordpiece: lower case, accents stripped; default true. */
  readonly lowercase?: boolean
  /** wordpiece: what is written before a token inside a word; default `##`. */
  readonly continuingSubwordPrefix?: string
  /** unigram: Unicode normalization; default NFKC. `none` can be written as a SentencePiece model. */
  readonly normalization?: 'NFC' | 'NFKC' | 'none'
  /** unigram, characters: the longest piece in characters; default 16. */
  readonly maxPieceLength?: number
  /** characters: what is not in the vocabulary becomes its bytes, of which all 256 are tokens; default true. */
  readonly byteFallback?: boolean
  /** characters: every digit is a token of its own; default true. */
  readonly splitDigits?: boolean
  /** characters: which part of the text the kept characters make up; default 0.9995. */
  readonly characterCoverage?: number
  /** Which of the special tokens begin, end and pad; default: by well-known names such as `<|endoftext|>`. */
  readonly roles?: TokenRoles
  readonly signal?: AbortSignal
}

export type TokenizerTrainEvent =
  | {
      readonly kind: 'progress'
      /**
       * `read`: bytes of text counted so far, the total is not known; `merge`: tokens made, of `total`; `prune` (unigram): pieces left,
       * on the way down to `total`.
       */
      readonly phase: 'read' | 'merge' | 'prune'
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
 * Learns a vocabulary. Byte-level merges and their order are those of Hugging Face's BpeTrainer with the byte alphabet, WordPiece and
 * Unigram vocabularies those of its trainers; characters follow SentencePiece. The same texts give the same tokenizer on every machine.
 * Time grows with the distinct pieces of the texts, hardly with `vocabSize`. A vocabulary larger than the texts allow ends early: see
 * `reached`.
 * @throws ConfigError for a wrong option or a text that is no string.
 */
export async function* trainTokenizer(options: TrainTokenizerOptions): AsyncGenerator<TokenizerTrainEvent, void, void> {
  const training = createTraining(options)
  const { signal, vocabSize } = options
  signal?.throwIfAborted()
  let sizeBytes = 0
  let textCount = 0
  let reported = 0
  for await (const text of options.texts) {
    signal?.throwIfAborted()
    if (typeof text !== 'string') throw new ConfigError(`${noTexts}, got ${typeof text} as text ${textCount}`)
    sizeBytes += training.add(text)
    textCount++
    if (sizeBytes - reported >= bytesPerEvent) {
      reported = sizeBytes
      yield { kind: 'progress', phase: 'read', done: sizeBytes }
      await turn(signal)
    }
  }
  yield { kind: 'progress', phase: 'read', done: sizeBytes, total: sizeBytes }
  const { phase, total } = training
  const learning = training.learn()
  let step = learning.next()
  for (; step.done !== true; step = learning.next()) {
    yield { kind: 'progress', phase, done: step.value, total }
    await turn(signal)
  }
  yield { kind: 'finished', ...step.value, wanted: vocabSize, textCount, sizeBytes }
}

/** Lets timers and input have their turn, among them whatever aborts. */
const turn = async (signal: AbortSignal | undefined): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, 0))
  signal?.throwIfAborted()
}

/** Checks the options, those of other ways too. */
const createTraining = (options: TrainTokenizerOptions): Training => {
  const { algorithm = 'bpe', alphabet = 'bytes', vocabSize, minFrequency = 1, texts, roles } = options
  if (!['bpe', 'wordpiece', 'unigram'].includes(algorithm)) throw new ConfigError(`algorithm: expected bpe, wordpiece or unigram, got ${JSON.stringify(algorithm)}`)
  if (alphabet !== 'bytes' && alphabet !== 'characters') throw new ConfigError(`alphabet: expected bytes or characters, got ${JSON.stringify(alphabet)}`)
  const isIterable = typeof texts === 'object' && texts !== null && (Symbol.iterator in texts || Symbol.asyncIterator in texts)
  if (!isIterable) throw new ConfigError(`${noTexts}, got ${typeof texts}`)
  if (!(minFrequency >= 0)) throw new ConfigError(`minFrequency: expected a number from 0 up, got ${minFrequency}`)
  const isByteLevel = algorithm === 'bpe' && alphabet === 'bytes'
  const names = specialNames(options, isByteLevel)
  names.forEach((token, i) => checkSpecial(token, i, names, isByteLevel))
  const byteFallback = algorithm === 'bpe' && !isByteLevel && (options.byteFallback ?? true)
  const smallest = names.length + (isByteLevel || byteFallback ? 256 : 0)
  if (!Number.isInteger(vocabSize) || vocabSize < smallest || vocabSize > maxVocabSize) {
    throw new ConfigError(`vocabSize: expected an integer from ${smallest} (${isByteLevel || byteFallback ? 'the bytes and ' : ''}the special tokens) to ${maxVocabSize}, got ${vocabSize}`)
  }
  const shared = { specialTokens: names.map(asAddedToken), vocabSize, minFrequency, roles }
  if (isByteLevel) return createByteLevelTraining({ ...shared, pattern: checkPattern(options.pattern) })
  if (algorithm === 'wordpiece') return createWordPieceTraining({ ...shared, lowercase: options.lowercase ?? true, continuingSubwordPrefix: options.continuingSubwordPrefix ?? '##' })
  const { maxPieceLength = 16, normalization = algorithm === 'unigram' ? 'NFKC' : 'none', characterCoverage = 0.9995 } = options
  if (!Number.isInteger(maxPieceLength) || maxPieceLength < 1 || maxPieceLength > 1024) throw new ConfigError(`maxPieceLength: expected an integer from 1 to 1024, got ${maxPieceLength}`)
  if (!['NFC', 'NFKC', 'none'].includes(normalization)) throw new ConfigError(`normalization: expected NFC, NFKC or none, got ${JSON.stringify(normalization)}`)
  const characters = { ...shared, maxPieceLength, normalization, unknownId: names.indexOf(unknownName.unigram) }
  if (algorithm === 'unigram') return createUnigramTraining(characters)
  if (!(characterCoverage > 0 && characterCoverage <= 1)) throw new ConfigError(`characterCoverage: expected a number above 0, at most 1, got ${characterCoverage}`)
  return createCharacterBpeTraining({ ...characters, byteFallback, characterCoverage, splitDigits: options.splitDigits ?? true })
}

const unknownName = { wordpiece: '[UNK]', unigram: '<unk>' } as const

const specialNames = ({ algorithm, specialTokens }: TrainTokenizerOptions, isByteLevel: boolean): readonly string[] => {
  if (isByteLevel) return specialTokens ?? []
  const unknown = algorithm === 'wordpiece' ? unknownName.wordpiece : unknownName.unigram
  const names = specialTokens ?? (algorithm === 'wordpiece' ? ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] : ['<unk>', '<s>', '</s>'])
  return names.includes(unknown) ? names : [unknown, ...names]
}

const checkPattern = (given: SplitPattern | undefined): string => {
  const pattern = patternText(given ?? 'gpt2')
  if (pattern === undefined) throw new ConfigError(`pattern: expected gpt2, cl100k, o200k or a RegExp, got ${String(given)}`)
  return pattern
}

const checkSpecial = (token: string, i: number, names: readonly string[], isByteLevel: boolean): void => {
  if (typeof token !== 'string' || token === '' || wellFormed(token) !== token || names.indexOf(token) !== i) {
    throw new ConfigError(`specialTokens[${i}]: expected a non-empty text that is there once, got ${JSON.stringify(token)}`)
  }
  if (isByteLevel && looksLearned(token)) {
    throw new ConfigError(
      `specialTokens[${i}]: expected a text that is not also written for a byte or a learned token, got ${JSON.stringify(token)}; put <| |> around it`,
    )
  }
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
