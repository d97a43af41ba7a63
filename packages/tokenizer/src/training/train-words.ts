// Training over characters: WordPiece, Unigram, and BPE as SentencePiece has it. Texts are normalized and cut into words as the finished
// tokenizer will cut them; the words are counted, then the vocabulary is learned from the counts.
import { ConfigError, type Json, type Tokenizer } from '@weft/contracts'
import { byteToken } from '../models/token-ids.ts'
import { jsonField } from '../formats/json-field.ts'
import { tokenizerOfPieces } from '../formats/sentencepiece.ts'
import type { SentencePiece, SentencePieceModel } from '../formats/sentencepiece-model.ts'
import { tokenizerFromJson } from '../formats/tokenizer-json.ts'
import { writeAddedTokens } from '../formats/tokenizer-json-writer.ts'
import { readNormalizer } from '../normalizers/read-normalizer.ts'
import { sentencePieceNormalizer, spaceSymbol } from '../normalizers/sentencepiece-normalizer.ts'
import { createPieceSteps, cutting } from '../pre-tokenizers/piece-step.ts'
import { cutBeforeSpaces } from '../pre-tokenizers/metaspace.ts'
import { readPieceSteps } from '../pre-tokenizers/read-pre-tokenizer.ts'
import type { Normalizer } from '../text/tracked-text.ts'
import type { AddedToken } from '../tokenizer/added-tokens.ts'
import { createSegmenter } from '../tokenizer/segments.ts'
import type { TokenRoles } from '../tokenizer/token-roles.ts'
import { learnCharacterMerges } from './learn-character-merges.ts'
import { learnUnigram } from './learn-unigram.ts'
import { learnWordPieces } from './learn-word-pieces.ts'
import type { Training } from './training.ts'
import { createWordCounts } from './word-counts.ts'

interface WordTrainingOptions {
  readonly specialTokens: readonly AddedToken[]
  readonly vocabSize: number
  readonly minFrequency: number
  readonly roles: TokenRoles | undefined
}

type PieceSteps = ReturnType<typeof createPieceSteps>

/** Counts the words of texts; special tokens that are written out in them are left out. */
const createCounter = (specialTokens: readonly AddedToken[], normalizer: Normalizer | undefined, cut: PieceSteps) => {
  const segments = createSegmenter(specialTokens, normalizer)
  const counts = createWordCounts()
  const encoder = new TextEncoder()
  let scratch = new Uint8Array(4096)
  /** Of the text as UTF-8, without making it. */
  const sizeOf = (text: string): number => {
    if (text.length * 3 > scratch.length && text.length <= 1 << 20) scratch = new Uint8Array(text.length * 3)
    return text.length * 3 <= scratch.length ? encoder.encodeInto(text, scratch).written : encoder.encode(text).length
  }
  return {
    counts,
    add: (text: string): number => {
      for (const { tokenId, input } of segments(text, true, false)) {
        if (tokenId >= 0) continue
        const { input: cutInput, pieces } = cut(input)
        for (let piece = 0; piece < pieces.count; piece++) counts.add(cutInput.text, pieces.spans[piece * 2]!, pieces.spans[piece * 2 + 1]!)
      }
      return sizeOf(text)
    },
  }
}

const rolesOption = (roles: TokenRoles | undefined) => (roles === undefined ? {} : { roles })

export interface WordPieceTrainingOptions extends WordTrainingOptions {
  readonly lowercase: boolean
  readonly continuingSubwordPrefix: string
}

export const createWordPieceTraining = (options: WordPieceTrainingOptions): Training => {
  const { specialTokens, vocabSize, minFrequency, continuingSubwordPrefix: prefix } = options
  const normalizer = { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: options.lowercase }
  const preTokenizer = { type: 'BertPreTokenizer' }
  const counter = createCounter(specialTokens, readNormalizer(jsonField(normalizer, 'normalizer')), createPieceSteps(readPieceSteps(jsonField(preTokenizer, 'pre_tokenizer'))))
  const names = specialTokens.map(({ content }) => content)
  return {
    add: counter.add,
    phase: 'merge',
    total: vocabSize,
    *learn() {
      const tokens = yield* learnWordPieces({ words: counter.counts.finish(), specialTokens: names, vocabSize, minFrequency, prefix })
      yield tokens.length
      const vocab = Object.create(null) as Record<string, number>
      tokens.forEach((token, id) => {
        vocab[token] = id
      })
      const json = {
        added_tokens: writeAddedTokens(specialTokens),
        normalizer,
        pre_tokenizer: preTokenizer,
        post_processor: bertFrame(vocab),
        decoder: { type: 'WordPiece', prefix, cleanup: true },
        model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: prefix, max_input_chars_per_word: 100, vocab },
      }
      return { tokenizer: tokenizerFromJson(json, rolesOption(options.roles)), reached: tokens.length }
    },
  }
}

/** BERT's frame, where its tokens are among the special ones. */
const bertFrame = (vocab: Readonly<Record<string, number>>): Json => {
  const [cls, sep] = [vocab['[CLS]'], vocab['[SEP]']]
  return cls === undefined || sep === undefined ? null : { type: 'BertProcessing', sep: ['[SEP]', sep], cls: ['[CLS]', cls] }
}

export interface UnigramTrainingOptions extends WordTrainingOptions {
  readonly unknownId: number
  readonly normalization: 'NFC' | 'NFKC' | 'none'
  readonly maxPieceLength: number
}

export const createUnigramTraining = (options: UnigramTrainingOptions): Training => {
  const { specialTokens, vocabSize, unknownId, normalization, maxPieceLength } = options
  const normalizer: Json = normalization === 'none' ? null : { type: normalization }
  const metaspace = { type: 'Metaspace', replacement: spaceSymbol, prepend_scheme: 'always', split: true }
  const counter = createCounter(specialTokens, readNormalizer(jsonField(normalizer, 'normalizer')), createPieceSteps(readPieceSteps(jsonField(metaspace, 'pre_tokenizer'))))
  return {
    add: counter.add,
    phase: 'prune',
    total: vocabSize,
    *learn() {
      const { pieces } = yield* learnUnigram({ words: counter.counts.finish(), vocabSize, specialCount: specialTokens.length, maxPieceLength })
      const vocab: [string, number][] = [...specialTokens.map(({ content }): [string, number] => [content, 0]), ...pieces.map(({ piece, score }): [string, number] => [piece, score])]
      const json = {
        added_tokens: writeAddedTokens(specialTokens),
        normalizer,
        pre_tokenizer: metaspace,
        post_processor: null,
        decoder: metaspace,
        model: { type: 'Unigram', unk_id: unknownId, vocab, byte_fallback: false },
      }
      return { tokenizer: tokenizerFromJson(json, rolesOption(options.roles)), reached: vocab.length }
    },
  }
}

export interface CharacterBpeTrainingOptions extends WordTrainingOptions {
  readonly unknownId: number
  readonly normalization: 'NFC' | 'NFKC' | 'none'
  readonly byteFallback: boolean
  readonly splitDigits: boolean
  readonly characterCoverage: number
  readonly maxPieceLength: number
}

/** The result is a SentencePiece model as Llama's is: no normalization of its own, spaces kept, rare characters as bytes. */
export const createCharacterBpeTraining = (options: CharacterBpeTrainingOptions): Training => {
  const { specialTokens, vocabSize, unknownId, byteFallback } = options
  const spec = { name: 'identity', charsmap: new Uint8Array(0), addDummyPrefix: true, removeExtraWhitespaces: false, escapeWhitespaces: true }
  const counter = createCounter(specialTokens, sentencePieceNormalizer({ ...spec, treatWhitespaceAsSuffix: false }), createPieceSteps([cutting(cutBeforeSpaces)]))
  const meta = metaPieces(specialTokens, unknownId, byteFallback)
  return {
    // Line feeds separate texts, as the lines of a file do for the reference; the tokenizer writes them as bytes
    add: (text) => {
      if (!byteFallback || !text.includes('\n')) return counter.add(text)
      const lines = text.split('\n')
      return lines.reduce((size, line) => size + counter.add(line), lines.length - 1)
    },
    phase: 'merge',
    total: vocabSize,
    *learn() {
      const learned = yield* learnCharacterMerges({ ...options, words: counter.counts.finish(), pieceCount: vocabSize - meta.length })
      const pieces: SentencePiece[] = [...learned.merged, ...learned.characters].map((piece, i) => ({ piece, score: -i, type: 'normal' }))
      const model: SentencePieceModel = {
        pieces: [...meta, ...pieces],
        algorithm: 'bpe',
        byteFallback,
        treatWhitespaceAsSuffix: false,
        unknownSurface: ' \u2047 ',
        normalizer: spec,
        beginId: idOf(specialTokens, '<s>'),
        endId: idOf(specialTokens, '</s>'),
        padId: idOf(specialTokens, '<pad>'),
      }
      checkSize(model, vocabSize)
      const tokenizer: Tokenizer = tokenizerOfPieces(model, rolesOption(options.roles))
      return { tokenizer, reached: model.pieces.length }
    },
  }
}

const idOf = (tokens: readonly AddedToken[], content: string): number => tokens.find((token) => token.content === content)?.id ?? -1

const metaPieces = (specialTokens: readonly AddedToken[], unknownId: number, byteFallback: boolean): SentencePiece[] => [
  ...specialTokens.map(({ content, id }): SentencePiece => ({ piece: content, score: 0, type: id === unknownId ? 'unknown' : 'control' })),
  ...(byteFallback ? Array.from({ length: 256 }, (_, byte): SentencePiece => ({ piece: byteToken(byte), score: 0, type: 'byte' })) : []),
]

const checkSize = ({ pieces }: SentencePieceModel, vocabSize: number): void => {
  if (pieces.length > vocabSize) {
    throw new ConfigError(`vocabSize: the texts have more characters than fit into ${vocabSize} tokens (${pieces.length} with them); a lower characterCoverage leaves the rarest to the bytes`)
  }
}
