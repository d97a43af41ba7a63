// A tokenizer from a SentencePiece .model: its own normalization, model and decoding, so that ids are those of sentencepiece itself; and
// the nearest tokenizer.json, for saving. Reference: google/sentencepiece 0.2.
import { FormatError, type Json, type Tokenizer } from '@weft/contracts'
import type { DecodeStepKind } from '../decoders/decode-step.ts'
import { byteOfToken } from '../decoders/byte-decoders.ts'
import { sentencePieceDecoder } from '../decoders/sentencepiece-decoder.ts'
import { cutLong } from '../models/merge-barrier.ts'
import { createSentencePieceBpe } from '../models/sentencepiece-bpe.ts'
import { createUnigram } from '../models/unigram.ts'
import { createWordLevel } from '../models/word-level.ts'
import type { Model } from '../models/model.ts'
import { byteToken, numberedTokens } from '../models/token-ids.ts'
import { readCharsMap, type CharsMap } from '../normalizers/precompiled.ts'
import { sentencePieceNormalizer } from '../normalizers/sentencepiece-normalizer.ts'
import { noProcessing, templateProcessing, type PostProcessor, type TemplatePiece } from '../post-processors/post-processor.ts'
import { cutBeforeSpaces } from '../pre-tokenizers/metaspace.ts'
import { cutting } from '../pre-tokenizers/piece-step.ts'
import { type AddedToken } from '../tokenizer/added-tokens.ts'
import { createTextTokenizer } from '../tokenizer/text-tokenizer.ts'
import { resolveRoles, type TokenRoles } from '../tokenizer/token-roles.ts'
import { readSentencePieceModel, type SentencePieceModel, type SentencePieceNormalizer } from './sentencepiece-model.ts'
import { sentencePieceJson } from './sentencepiece-json.ts'

export interface TokenizerFromSentencePieceOptions {
  /** Puts the begin token before a text where special tokens are added; default false, as sentencepiece itself. */
  readonly addBegin?: boolean
  /** Puts the end token behind it; default false. */
  readonly addEnd?: boolean
  /** Which tokens begin, end and pad; default: what the file says. */
  readonly roles?: TokenRoles
  /** The file's name, for errors. */
  readonly source?: string
}

/**
 * A tokenizer from a SentencePiece .model: BPE, Unigram, words or characters. Ids are those of sentencepiece; special tokens that are
 * written out in a text are recognized unless `allowSpecial` is false, as in every tokenizer here.
 * @throws FormatError with the byte where the file is broken.
 */
export const tokenizerFromSentencePiece = (bytes: Uint8Array, options: TokenizerFromSentencePieceOptions = {}): Tokenizer =>
  tokenizerOfPieces(readSentencePieceModel(bytes, options.source), options)

/** @internal What other files hold that are SentencePiece inside. */
export const tokenizerOfPieces = (file: SentencePieceModel, options: TokenizerFromSentencePieceOptions & { readonly addedTokens?: readonly AddedToken[] } = {}): Tokenizer => {
  const unknownId = checkPieces(file, options.source)
  const { pieces } = file
  const symbolLengthAt = symbolFinder(file)
  const special: AddedToken[] = pieces.flatMap(({ piece, type }, id) => (type === 'control' || type === 'unknown' ? [asAdded(piece, id, true)] : []))
  const addedTokens = options.addedTokens ?? special
  const idsOf = (tokens: readonly AddedToken[]) => new Map(tokens.map(({ content, id }) => [content, id]))
  const nameOf = (id: number): string | undefined => pieces[id]?.piece
  const { model, triples, steps, barrier } = modelOf(file, unknownId, symbolLengthAt)
  const framed = { begin: options.addBegin === true ? file.beginId : -1, end: options.addEnd === true ? file.endId : -1 }
  const roles = resolveRoles({
    special: idsOf(addedTokens.filter((token) => token.special)),
    added: idsOf(addedTokens),
    found: { beginId: file.beginId < 0 ? undefined : file.beginId, unknownId },
    roles: options.roles,
    config: { eos_token: nameOf(file.endId), pad_token: nameOf(file.padId) },
  })
  const tokenizer = createTextTokenizer({
    model,
    addedTokens,
    normalizer: normalizerOf(file.normalizer, file.treatWhitespaceAsSuffix, symbolLengthAt, options.source),
    steps,
    alwaysTracks: false,
    ...(barrier === undefined ? {} : { barrier: cutLong(barrier) }),
    processor: frame(framed, nameOf),
    decoders: decodersOf(file, unknownId, options.source),
    bytesOfToken: (token) => {
      const byte = file.byteFallback ? byteOfToken(token) : undefined
      return byte === undefined ? undefined : Uint8Array.of(byte)
    },
    roles,
    write: (): Json => sentencePieceJson(file, { unknownId, triples, addedTokens, framed }),
  })
  models.set(tokenizer, file)
  return tokenizer
}

const models = new WeakMap<Tokenizer, SentencePieceModel>()

/** @internal What a tokenizer was made of that came from a SentencePiece model; undefined for any other. */
export const modelOfTokenizer = (tokenizer: Tokenizer): SentencePieceModel | undefined => models.get(tokenizer)

export const asAdded = (content: string, id: number, special: boolean): AddedToken => ({ id, content, special, lstrip: false, rstrip: false, singleWord: false, normalized: false })

/** @returns the id of the unknown piece. */
const checkPieces = ({ pieces, byteFallback, algorithm }: SentencePieceModel, source: string | undefined): number => {
  const fail = (what: string): FormatError => new FormatError(what, source === undefined ? {} : { source })
  const seen = new Set<string>()
  for (const { piece, type } of pieces) {
    const key = `${type === 'normal' || type === 'userDefined' || type === 'unused'} ${piece}`
    if (seen.has(key)) throw fail(`the piece ${JSON.stringify(piece)} is there twice`)
    seen.add(key)
  }
  const unknownId = pieces.findIndex(({ type }) => type === 'unknown')
  if (unknownId < 0) throw fail('expected a piece of the type unknown')
  if (byteFallback && algorithm !== 'word') {
    for (let byte = 0; byte < 256; byte++) if (!seen.has(`false ${byteToken(byte)}`)) throw fail(`expected a piece for every byte, none for ${byteToken(byte)}`)
  }
  return unknownId
}

/** How long the user-defined symbol at a place is; undefined where there are none. */
const symbolFinder = ({ pieces }: SentencePieceModel): ((text: string, at: number) => number) | undefined => {
  const symbols = pieces.filter(({ type }) => type === 'userDefined').map(({ piece }) => piece)
  if (symbols.length === 0) return undefined
  const byFirst = new Map<number, string[]>()
  for (const symbol of symbols.sort((a, b) => b.length - a.length)) {
    const first = symbol.charCodeAt(0)
    byFirst.set(first, [...(byFirst.get(first) ?? []), symbol])
  }
  return (text, at) => byFirst.get(text.charCodeAt(at))?.find((symbol) => text.startsWith(symbol, at))?.length ?? 0
}

const modelOf = (file: SentencePieceModel, unknownId: number, symbolLengthAt: ((text: string, at: number) => number) | undefined) => {
  const { pieces, algorithm, byteFallback } = file
  if (algorithm === 'unigram') return { model: unigramOf(file, unknownId), triples: undefined, steps: [], barrier: undefined }
  if (algorithm === 'word') {
    const model: Model = createWordLevel(numberedTokens(pieces.map(({ piece }) => piece)), pieces[unknownId]!.piece)
    return { model, triples: undefined, steps: [cutting(cutBeforeSpaces)], barrier: undefined }
  }
  const bpe = createSentencePieceBpe({ pieces, unknownId, byteFallback, merges: algorithm === 'bpe', symbolLengthAt })
  return { ...bpe, steps: [] }
}

/** Scores as they are summed: a user-defined symbol has one that hardly anything beats. */
const unigramOf = ({ pieces, byteFallback }: SentencePieceModel, unknownId: number): Model => {
  let leastScore = Infinity
  let greatestScore = 2 ** -126 // where the reference begins to look for it, so that a symbol costs a tenth where all scores are below zero
  for (const { score, type } of pieces) {
    if (type !== 'normal') continue
    leastScore = Math.min(leastScore, score)
    greatestScore = Math.max(greatestScore, score)
  }
  const encoder = new TextEncoder()
  return createUnigram({
    vocabulary: numberedTokens(pieces.map(({ piece }) => piece)),
    scores: Float64Array.from(pieces, ({ piece, score, type }) => (type === 'userDefined' ? encoder.encode(piece).length * greatestScore - 0.1 : score)),
    unknownId,
    byteFallback,
    sentencePiece: { leastScore, isInText: Uint8Array.from(pieces, ({ type }) => (type === 'normal' || type === 'userDefined' ? 1 : 0)) },
  })
}

const normalizerOf = (spec: SentencePieceNormalizer, treatWhitespaceAsSuffix: boolean, symbolLengthAt: ((text: string, at: number) => number) | undefined, source: string | undefined) =>
  sentencePieceNormalizer({ ...spec, charsMap: charsMapOf(spec, source), treatWhitespaceAsSuffix, symbolLengthAt })

const charsMapOf = ({ charsmap }: SentencePieceNormalizer, source: string | undefined): CharsMap | undefined => {
  if (charsmap.length === 0) return undefined
  const map = readCharsMap(charsmap)
  if (map === undefined) throw new FormatError('precompiled_charsmap: expected a trie behind its size, then the replacements', source === undefined ? {} : { source })
  return map
}

const frame = ({ begin, end }: { begin: number; end: number }, nameOf: (id: number) => string | undefined): PostProcessor => {
  if (begin < 0 && end < 0) return noProcessing
  const token = (id: number): TemplatePiece[] => (id < 0 ? [] : [{ ids: [id], tokens: [nameOf(id) ?? ''], typeId: 0 }])
  const around = (sequence: 0 | 1): TemplatePiece[] => [...token(begin), { sequence, typeId: 0 }, ...token(end)]
  return templateProcessing(around(0), [...around(0), ...around(1)])
}

const decodersOf = (file: SentencePieceModel, unknownId: number, source: string | undefined): readonly DecodeStepKind[] => {
  const { pieces, normalizer, denormalizer, byteFallback, unknownSurface } = file
  const control = new Set(pieces.filter(({ type }) => type === 'control').map(({ piece }) => piece))
  const decoder = sentencePieceDecoder({
    stripsFirstSpace: normalizer.addDummyPrefix || normalizer.removeExtraWhitespaces,
    stripsAllSpaces: normalizer.removeExtraWhitespaces,
    hasBytes: byteFallback,
    isControl: (piece) => control.has(piece),
    unknownPiece: pieces[unknownId]!.piece,
    unknownSurface,
  })
  if (denormalizer === undefined || denormalizer.charsmap.length === 0) return [decoder]
  const denormalize = normalizerOf(denormalizer, false, undefined, source)
  return [decoder, wholeText((text) => denormalize({ text, start: 0 }).text)]
}

/** A step that needs the whole text: nothing is shown before the end. */
const wholeText = (map: (text: string) => string): DecodeStepKind => ({
  start: () => {
    let text = ''
    return {
      push: (part) => void (text += part),
      flush: (emit) => {
        emit(map(text))
        text = ''
      },
    }
  },
})
