// Where in the text each token stands, in UTF-16 units, so that `text.slice(start, end)` is what the token covers. A token that holds
// only part of a character covers the whole of it. For tokenizers from elsewhere the bytes of their tokens are laid along the text.
import { FormatError, type EncodeOptions, type Tokenizer } from '@weft/contracts'
import { engineOf, type Engine } from './byte-level-tokenizer.ts'
import type { TrackedText } from '../text/tracked-text.ts'
import { codePointStarts } from '../encoding/encoding.ts'
import { insideOf } from './inside.ts'
import type { TextEngine } from './text-engine.ts'
import { createIdBuffer, type BpeModel } from '../models/piece-encoder.ts'
import { wellFormed } from '../text/well-formed.ts'

export interface EncodingWithOffsets {
  readonly tokenIds: Uint32Array
  /** Two numbers a token: token i covers [offsets[2i], offsets[2i + 1]) of the text. Tokens that the template adds cover nothing. */
  readonly offsets: Uint32Array
}

export interface EncodeWithOffsetsOptions extends EncodeOptions {
  /** Leave spaces at the ends of a token out of its range, as `trim_offsets` of a tokenizer.json does; default false. */
  readonly trimSpaces?: boolean
}

/**
 * `tokenizer.encode` with the UTF-16 range of each token. Ranges are in order; where normalization joined characters, the token
 * has the range of all that were joined.
 */
export const encodeWithOffsets = (tokenizer: Tokenizer, text: string, options: EncodeWithOffsetsOptions = {}): EncodingWithOffsets => {
  const encoding = encodeBy(tokenizer, text, options)
  if (options.trimSpaces === true) trim(encoding, text)
  return encoding
}

const encodeBy = (tokenizer: Tokenizer, text: string, options: EncodeOptions): EncodingWithOffsets => {
  const engine = engineOf(tokenizer)
  if (engine !== undefined) return throughTheEngine(engine, text, options)
  const inside = insideOf(tokenizer)
  return inside === undefined ? alongTheBytes(tokenizer, text, options) : throughTheText(tokenizer, inside.engine(), text, options)
}

/** The engine over text counts in code points. */
const throughTheText = (tokenizer: Tokenizer, engine: TextEngine, text: string, options: EncodeOptions): EncodingWithOffsets => {
  const { ids, offsets: points } = engine.draft(text, options.allowSpecial ?? true, 0)
  const starts = codePointStarts(text)
  const tokenIds = Uint32Array.from(ids)
  const offsets = Uint32Array.from(points, (point) => starts?.[point] ?? point)
  return options.addSpecialTokens === false ? { tokenIds, offsets } : framed(tokenizer, text, options, tokenIds, offsets)
}

const throughTheEngine = (engine: Engine, text: string, options: EncodeOptions): EncodingWithOffsets => {
  const { template, model } = engine.pipeline
  const ids: number[] = []
  const offsets: number[] = []
  const push = (id: number, start: number, end: number): void => {
    ids.push(id)
    offsets.push(start, end)
  }
  const isFramed = options.addSpecialTokens ?? true
  if (isFramed) for (const id of template.before) push(id, 0, 0)
  for (const segment of engine.segments(text, options.allowSpecial ?? true, true)) {
    const { input, tokenId } = segment
    if (tokenId >= 0) place(input, tokenId, 0, input.text.length, push)
    else encodeSegment(engine, model, input, push)
  }
  if (isFramed) for (const id of template.behind) push(id, text.length, text.length)
  return { tokenIds: Uint32Array.from(ids), offsets: Uint32Array.from(offsets) }
}

type Push = (id: number, start: number, end: number) => void

const encodeSegment = (engine: Engine, model: BpeModel, segment: TrackedText, push: Push): void => {
  const { bytes, pieces } = engine.cut(segment.text)
  const shift = engine.pipeline.preTokenizer.prefixSpace && !segment.text.startsWith(' ') ? 1 : 0
  const units = createUnitCursor(bytes)
  const buffer = createIdBuffer()
  const one = { spans: new Int32Array(2), count: 1 }
  for (let piece = 0; piece < pieces.count; piece++) {
    const start = pieces.spans[piece * 2]!
    one.spans.set([start, pieces.spans[piece * 2 + 1]!])
    buffer.count = 0
    engine.encodePieces(bytes, one, buffer)
    let at = start
    for (let i = 0; i < buffer.count; i++) {
      const id = buffer.ids[i]!
      at = skipLeftOut(model, bytes, at)
      const end = at + coveredBytes(model, id, bytes, at, one.spans[1]!)
      const [from, to] = units(at, end)
      place(segment, id, Math.max(0, from - shift), Math.max(0, to - shift), push)
      at = end
    }
  }
}

/** A range of the segment's normalized text as a range of the text. */
const place = ({ origins, start }: TrackedText, id: number, from: number, to: number, push: Push): void => {
  if (origins === undefined) push(id, start + from, start + to)
  else push(id, origins.starts[from] ?? start, to > from ? origins.ends[to - 1]! : (origins.starts[from] ?? start))
}

/** Bytes for which the vocabulary has neither a token nor an unknown one. */
const skipLeftOut = (model: BpeModel, bytes: Uint8Array, at: number): number => {
  if (model.unknownId < 0) while (model.byteIds[bytes[at]!] === -1) at++
  return at
}

const coveredBytes = (model: BpeModel, id: number, bytes: Uint8Array, at: number, end: number): number => {
  const isUnknown = id === model.unknownId && model.byteIds[bytes[at]!] === -1
  if (!isUnknown) return model.tokens.lengths[id]!
  if (!model.fuseUnknown) return 1
  let stop = at
  while (stop < end && model.byteIds[bytes[stop]!] === -1) stop++
  return stop - at
}

/** Byte range → range in UTF-16 units, each end moved outwards to the border of its character. Ranges must come in order. */
const createUnitCursor = (bytes: Uint8Array) => {
  let byte = 0
  let unit = 0
  const widthOf = (lead: number): number => (lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4)
  return (start: number, end: number): [from: number, to: number] => {
    for (let width = widthOf(bytes[byte]!); byte + width <= start; width = widthOf(bytes[byte]!)) {
      byte += width
      unit += width === 4 ? 2 : 1
    }
    let to = unit
    for (let at = byte; at < end; ) {
      const width = widthOf(bytes[at]!)
      at += width
      to += width === 4 ? 2 : 1
    }
    return [unit, to]
  }
}

const alongTheBytes = (tokenizer: Tokenizer, text: string, options: EncodeOptions): EncodingWithOffsets => {
  const tokenIds = tokenizer.encode(text, { ...options, addSpecialTokens: false })
  const bytes = new TextEncoder().encode(wellFormed(text))
  const units = createUnitCursor(bytes)
  const offsets = new Uint32Array(tokenIds.length * 2)
  let at = 0
  tokenIds.forEach((id, i) => {
    const token = tokenizer.tokenBytes(id)
    if (!token.every((byte, k) => bytes[at + k] === byte)) {
      throw new FormatError(`token ${i} (id ${id}): expected its bytes at byte ${at} of the text; offsets need a tokenizer that changes no text`)
    }
    offsets.set(units(at, at + token.length), i * 2)
    at += token.length
  })
  return options.addSpecialTokens === false ? { tokenIds, offsets } : framed(tokenizer, text, options, tokenIds, offsets)
}

/** Puts the template's tokens around, with empty ranges. */
const framed = (
  tokenizer: Tokenizer,
  text: string,
  options: EncodeOptions,
  inner: Uint32Array,
  innerOffsets: Uint32Array,
): EncodingWithOffsets => {
  const tokenIds = tokenizer.encode(text, { ...options, addSpecialTokens: true })
  const more = tokenIds.length - inner.length
  let before = 0
  while (before < more && !inner.every((id, i) => tokenIds[before + i] === id)) before++
  const offsets = new Uint32Array(tokenIds.length * 2).fill(text.length)
  offsets.fill(0, 0, before * 2)
  offsets.set(innerOffsets, before * 2)
  return { tokenIds, offsets }
}

const trim = ({ tokenIds, offsets }: EncodingWithOffsets, text: string): void => {
  for (let i = 0; i < tokenIds.length; i++) {
    let start = offsets[i * 2]!
    let end = offsets[i * 2 + 1]!
    while (start < end && text[start] === ' ') start++
    while (end > start && text[end - 1] === ' ') end--
    offsets[i * 2] = start
    offsets[i * 2 + 1] = end
  }
}
