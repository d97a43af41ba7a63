// What there is to know of an encoded text, token by token, in arrays of one length.
import type { Draft } from './draft.ts'

export interface Encoding {
  readonly tokenIds: Uint32Array
  /** The tokens as the vocabulary writes them; an added token, and what Unigram does not know, as it stands in the text. */
  readonly tokens: readonly string[]
  /** Two numbers a token: token i covers [offsets[2i], offsets[2i + 1]) of its text in UTF-16 units; [0, 0) where it came from none. */
  readonly offsets: Uint32Array
  /** The same in code points. */
  readonly codePointOffsets: Uint32Array
  /** What the model is told of the segments: 0 for the first text, 1 for the second, as the tokenizer's template says. */
  readonly typeIds: Uint32Array
  /** The piece of the pre-tokenizer that the token is part of, counted per text; −1: none. */
  readonly wordIds: Int32Array
  /** Which text the token came from, 0 or 1; −1: none. */
  readonly sequenceIds: Int8Array
  /** 1: put there by the template or as padding. */
  readonly specialTokensMask: Uint8Array
  /** 0: padding. */
  readonly attentionMask: Uint8Array
  /** What truncation cut off, in parts of the same shape. */
  readonly overflowing: readonly Encoding[]
}

/** @param texts the texts that `sequenceIds` mean; the draft's offsets are in their code points. */
export const finishEncoding = (draft: Draft, texts: readonly string[]): Encoding => finish(draft, texts.map(codePointStarts))

const finish = (draft: Draft, starts: readonly (Uint32Array | undefined)[]): Encoding => {
  const codePointOffsets = Uint32Array.from(draft.offsets)
  const isSame = starts.every((each) => each === undefined)
  return {
    tokenIds: Uint32Array.from(draft.ids),
    tokens: draft.tokens,
    offsets: isSame ? codePointOffsets : codePointOffsets.map((point, i) => starts[draft.sequenceIds[i >> 1]!]?.[point] ?? point),
    codePointOffsets,
    typeIds: Uint32Array.from(draft.typeIds),
    wordIds: Int32Array.from(draft.wordIds),
    sequenceIds: Int8Array.from(draft.sequenceIds),
    specialTokensMask: Uint8Array.from(draft.special),
    attentionMask: Uint8Array.from(draft.attention),
    overflowing: draft.overflowing.map((part) => finish(part, starts)),
  }
}

const pair = /[\ud800-\udbff][\udc00-\udfff]/

/** Where in UTF-16 each code point begins, the end last; undefined where units and code points are the same. */
export const codePointStarts = (text: string): Uint32Array | undefined => {
  if (!pair.test(text)) return undefined
  const starts = new Uint32Array(text.length + 1)
  let count = 0
  for (let unit = 0; unit < text.length; unit += text.codePointAt(unit)! > 0xffff ? 2 : 1) starts[count++] = unit
  starts[count++] = text.length
  return starts.subarray(0, count)
}

/** Turns offsets in UTF-16 units, at the borders of characters, into code points. */
export const toCodePoints = (offsets: number[], text: string): void => {
  if (!pair.test(text)) return
  const points = new Uint32Array(text.length + 1)
  let count = 0
  for (let unit = 0; unit < text.length; count++) {
    const width = text.codePointAt(unit)! > 0xffff ? 2 : 1
    points.fill(count, unit, unit + width)
    unit += width
  }
  points[text.length] = count
  offsets.forEach((unit, i) => {
    offsets[i] = points[unit]!
  })
}
