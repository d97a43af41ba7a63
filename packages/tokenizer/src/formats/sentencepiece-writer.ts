// A SentencePiece .model of a tokenizer: of one that came from such a file, or of one of SentencePiece's kind (Unigram, or BPE over
// characters with visible spaces) from wherever.
import { UnsupportedError, type Tokenizer } from '@weft/contracts'
import { byteOfToken } from '../decoders/byte-decoders.ts'
import { spaceSymbol } from '../normalizers/sentencepiece-normalizer.ts'
import { insideOf } from '../tokenizer/inside.ts'
import { writeSentencePieceModel, type PieceType, type SentencePiece, type SentencePieceModel } from './sentencepiece-model.ts'
import { modelOfTokenizer } from './sentencepiece.ts'

/**
 * The bytes of a .model that sentencepiece opens. Unigram scores are kept, merges become scores by their order.
 * @throws UnsupportedError for a tokenizer that sentencepiece has no counterpart for; it names the component.
 */
export const tokenizerToSentencePiece = (tokenizer: Tokenizer): Uint8Array => {
  const known = modelOfTokenizer(tokenizer)
  if (known !== undefined) return writeSentencePieceModel(known)
  const inside = insideOf(tokenizer)
  if (inside === undefined) throw new UnsupportedError('tokenizerToSentencePiece: expected a tokenizer of SentencePiece\'s kind made by @weft/tokenizer; a byte-level one has no counterpart there')
  return writeSentencePieceModel(modelOfJson(inside.write() as unknown as TokenizerJson, tokenizer))
}

interface Component {
  readonly type: string
  readonly normalizers?: readonly Component[]
  readonly pretokenizers?: readonly Component[]
  readonly precompiled_charsmap?: string
  readonly prepend?: string
  readonly pattern?: { readonly String?: string; readonly Regex?: string }
  readonly content?: string
  readonly prepend_scheme?: string
  readonly replacement?: string
  readonly strip_left?: boolean
  readonly strip_right?: boolean
}

interface TokenizerJson {
  readonly added_tokens: readonly { readonly id: number; readonly content: string; readonly special: boolean }[]
  readonly normalizer: Component | null
  readonly pre_tokenizer: Component | null
  readonly model: {
    readonly type: string
    readonly vocab: Readonly<Record<string, number>> | readonly (readonly [string, number])[]
    readonly merges?: readonly (string | readonly [string, string])[]
    readonly unk_token?: string | null
    readonly unk_id?: number | null
    readonly byte_fallback?: boolean
  }
}

const unsupported = (what: string): UnsupportedError => new UnsupportedError(`tokenizerToSentencePiece: ${what} has no counterpart in SentencePiece`)

const modelOfJson = (json: TokenizerJson, tokenizer: Tokenizer): SentencePieceModel => {
  const { model } = json
  if (model.type !== 'Unigram' && model.type !== 'BPE') throw unsupported(`the model ${model.type}`)
  const special = new Map(json.added_tokens.map(({ id, special: isSpecial }) => [id, isSpecial]))
  const texts: string[] = []
  const scores = model.type === 'Unigram' ? unigramScores(model, texts) : bpeScores(model, texts)
  for (const { id, content } of json.added_tokens) texts[id] ??= content
  const unknownId = model.type === 'Unigram' ? (model.unk_id ?? -1) : texts.indexOf(model.unk_token ?? '')
  if (unknownId < 0) throw unsupported('a vocabulary without an unknown token')
  const byteFallback = model.byte_fallback ?? false
  const typeOf = (id: number, text: string): PieceType => {
    if (id === unknownId) return 'unknown'
    if (byteFallback && byteOfToken(text) !== undefined) return 'byte'
    const isSpecial = special.get(id)
    return isSpecial === undefined ? 'normal' : isSpecial ? 'control' : 'userDefined'
  }
  const pieces = Array.from(texts, (piece, id): SentencePiece => {
    if (piece === undefined) return { piece: `<unused_${id}>`, score: 0, type: 'control' }
    return { piece, score: scores[id] ?? 0, type: typeOf(id, piece) }
  })
  return {
    pieces,
    algorithm: model.type === 'Unigram' ? 'unigram' : 'bpe',
    byteFallback,
    treatWhitespaceAsSuffix: false,
    unknownSurface: ' \u2047 ',
    normalizer: normalizerOf(json),
    beginId: tokenizer.beginId ?? -1,
    endId: tokenizer.endIds[0] ?? -1,
    padId: tokenizer.padId ?? -1,
  }
}

const unigramScores = ({ vocab }: TokenizerJson['model'], texts: string[]): number[] =>
  (vocab as readonly (readonly [string, number])[]).map(([piece, score], id) => {
    texts[id] = piece
    return score
  })

/** The first way in which each token is made says how early it is. */
const bpeScores = ({ vocab, merges = [] }: TokenizerJson['model'], texts: string[]): number[] => {
  const ids = new Map(Object.entries(vocab as Readonly<Record<string, number>>))
  for (const [piece, id] of ids) texts[id] = piece
  const scores: number[] = []
  let rank = 0
  for (const merge of merges) {
    const id = ids.get(typeof merge === 'string' ? merge.replace(' ', '') : merge.join(''))
    if (id === undefined || scores[id] !== undefined) continue
    scores[id] = -rank++
  }
  texts.forEach((_, id) => {
    scores[id] ??= -rank++
  })
  return scores
}

const flatten = (component: Component | null | undefined): readonly Component[] => {
  if (component === null || component === undefined) return []
  return component.type === 'Sequence' ? (component.normalizers ?? component.pretokenizers ?? []).flatMap(flatten) : [component]
}

const normalizerOf = (json: TokenizerJson): SentencePieceModel['normalizer'] => {
  const result = { name: 'identity', charsmap: new Uint8Array(0), addDummyPrefix: false, removeExtraWhitespaces: false, escapeWhitespaces: true }
  for (const step of flatten(json.normalizer)) {
    if (step.type === 'Precompiled' && step.precompiled_charsmap !== undefined) Object.assign(result, { name: 'user_defined', charsmap: fromBase64(step.precompiled_charsmap) })
    else if (step.type === 'Prepend' && step.prepend === spaceSymbol) result.addDummyPrefix = true
    else if (step.type === 'Replace' && step.pattern?.Regex === ' {2,}' && step.content === ' ') result.removeExtraWhitespaces = true
    else if (step.type === 'Strip') continue // goes with the spaces that are removed
    else if (step.type !== 'Replace' || step.pattern?.String !== ' ' || step.content !== spaceSymbol) throw unsupported(`the normalizer ${step.type}`)
  }
  for (const step of flatten(json.pre_tokenizer)) {
    if (step.type !== 'Metaspace' || step.replacement !== spaceSymbol) throw unsupported(`the pre-tokenizer ${step.type}`)
    result.addDummyPrefix = step.prepend_scheme !== 'never'
  }
  return result
}

const fromBase64 = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
