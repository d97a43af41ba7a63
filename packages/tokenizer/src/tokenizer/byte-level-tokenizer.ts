// A byte-level BPE tokenizer put together from its parts: added tokens are cut out of the text, the rest is normalized, cut into pieces
// and merged. It knows no file format; those build a Pipeline.
import { ConfigError, type DecodeOptions, type EncodeOptions, type Json, type Tokenizer } from '@weft/contracts'
import type { AddedToken } from './added-tokens.ts'
import type { Normalizer } from '../text/tracked-text.ts'
import { createSegmenter, type Segmenter } from './segments.ts'
import { createIdBuffer, createPieceEncoder, pushId, type BpeModel, type IdBuffer } from '../models/piece-encoder.ts'
import { createPieceList, pushPiece, type PieceList } from '../pre-tokenizers/pieces.ts'
import type { Template } from '../post-processors/template-frame.ts'
import type { PreTokenizer } from '../pre-tokenizers/pre-tokenizer.ts'
import type { RoleIds } from './token-roles.ts'
import { bytesOfToken } from './token-table.ts'

export interface Pipeline {
  readonly model: BpeModel
  readonly addedTokens: readonly AddedToken[]
  readonly normalizer?: Normalizer | undefined
  readonly preTokenizer: PreTokenizer
  readonly template: Template
  readonly roles: RoleIds
  /** The parts of a tokenizer.json that are written back as they came. */
  readonly components: { readonly [name in 'truncation' | 'padding' | 'normalizer' | 'pre_tokenizer' | 'post_processor' | 'decoder']: Json }
}

export interface Engine {
  readonly pipeline: Pipeline
  readonly segments: Segmenter
  /** The pieces of one text segment (behind the prefix space, where there is one), in its UTF-8. Valid until the next call. */
  cut(text: string): { bytes: Uint8Array; pieces: PieceList }
  encodePieces(bytes: Uint8Array, pieces: PieceList, output: IdBuffer): void
  /** How many ids `encode` gives. */
  count(text: string, options: EncodeOptions): number
}

const engines = new WeakMap<Tokenizer, Engine>()

/** The inside of a tokenizer that this package made; undefined for any other. */
export const engineOf = (tokenizer: Tokenizer): Engine | undefined => engines.get(tokenizer)

export const createByteLevelTokenizer = (pipeline: Pipeline): Tokenizer => {
  const { template, addedTokens, roles } = pipeline
  const { tokens } = pipeline.model
  const special = addedTokens.filter((token) => token.special)
  const isSpecial = new Uint8Array(tokens.size)
  for (const token of special) isSpecial[token.id] = 1
  const buffer = createIdBuffer()
  const fill = (text: string, { addSpecialTokens = true, allowSpecial = true }: EncodeOptions): void => {
    buffer.count = 0
    if (buffer.ids.length > 1 << 20) buffer.ids = new Uint32Array(1024) // one huge text must not hold its memory for ever
    if (addSpecialTokens) for (const id of template.before) pushId(buffer, id)
    for (const segment of engine.segments(text, allowSpecial, false)) {
      if (segment.tokenId >= 0) {
        pushId(buffer, segment.tokenId)
      } else {
        const { bytes, pieces } = engine.cut(segment.input.text)
        engine.encodePieces(bytes, pieces, buffer)
      }
    }
    if (addSpecialTokens) for (const id of template.behind) pushId(buffer, id)
  }
  const engine = createEngine(pipeline, (text, options) => {
    fill(text, options)
    return buffer.count
  })
  const tokenizer: Tokenizer = {
    vocabSize: tokens.size,
    specialTokens: new Map(special.map((token) => [token.content, token.id])),
    ...roles,
    encode: (text, options = {}) => {
      fill(text, options)
      return buffer.ids.slice(0, buffer.count)
    },
    decode: createDecoder(pipeline.model, isSpecial),
    tokenBytes: (tokenId) => {
      checkId(tokenId, tokens.size)
      return bytesOfToken(tokens, tokenId).slice()
    },
  }
  engines.set(tokenizer, engine)
  return Object.freeze(tokenizer)
}

const checkId = (tokenId: number, size: number): void => {
  if (!Number.isInteger(tokenId) || tokenId < 0 || tokenId >= size) {
    throw new ConfigError(`token id: expected an integer from 0 to ${size - 1}, got ${tokenId}`)
  }
}

const createDecoder = ({ tokens }: BpeModel, isSpecial: Uint8Array) => {
  const { pool, starts, lengths, size } = tokens
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let scratch = new Uint8Array(4096)
  return (tokenIds: Iterable<number>, options: DecodeOptions = {}): string => {
    const ids: ArrayLike<number> = isArrayLike(tokenIds) ? tokenIds : Array.from(tokenIds)
    const skips = options.skipSpecialTokens ?? false
    let bytes = scratch
    let used = 0
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!
      if (!(id >= 0 && id < size && Number.isInteger(id))) checkId(id, size)
      if (skips && isSpecial[id] === 1) continue
      const length = lengths[id]!
      if (used + length > bytes.length) bytes = enlarged(bytes, used + length)
      for (let from = starts[id]!, end = from + length; from < end; ) bytes[used++] = pool[from++]!
    }
    if (bytes !== scratch && bytes.length <= 1 << 20) scratch = bytes
    return decoder.decode(bytes.subarray(0, used))
  }
}

const isArrayLike = (ids: Iterable<number>): ids is Iterable<number> & ArrayLike<number> =>
  Array.isArray(ids) || ids instanceof Uint32Array || ids instanceof Int32Array

const enlarged = (bytes: Uint8Array<ArrayBuffer>, needed: number): Uint8Array<ArrayBuffer> => {
  const grown = new Uint8Array(Math.max(bytes.length * 2, needed))
  grown.set(bytes)
  return grown
}

const createEngine = (pipeline: Pipeline, count: Engine['count']): Engine => ({
  pipeline,
  count,
  segments: createSegmenter(pipeline.addedTokens, pipeline.normalizer),
  encodePieces: createPieceEncoder(pipeline.model),
  cut: createCutter(pipeline.preTokenizer),
})

const keptBytes = 196_608 // texts up to a third of this share one buffer

const createCutter = ({ splitters, prefixSpace }: PreTokenizer): Engine['cut'] => {
  const encoder = new TextEncoder()
  const scratch = new Uint8Array(keptBytes)
  let pieces = createPieceList()
  let other = createPieceList()
  return (segment) => {
    const text = prefixSpace && !segment.startsWith(' ') ? ` ${segment}` : segment
    const isShort = text.length * 3 <= scratch.length
    const bytes = isShort ? scratch : encoder.encode(text)
    const length = isShort ? encoder.encodeInto(text, scratch).written : bytes.length
    if (pieces.spans.length > 1 << 20) pieces = createPieceList()
    if (other.spans.length > 1 << 20) other = createPieceList()
    pieces.count = 0
    pushPiece(pieces, 0, length)
    for (const split of splitters) {
      other.count = 0
      split(text, bytes, pieces, other)
      ;[pieces, other] = [other, pieces]
    }
    return { bytes, pieces }
  }
}
