// An encoding while it is made: a row of tokens with all that is known of each, cut, joined and padded the way that
// huggingface/tokenizers does it (tokenizer/encoding.rs), overflowing parts included.

export interface Draft {
  ids: number[]
  tokens: string[]
  /** start, end, start, end, … in code points of the sequence's text: what the reference counts when it trims them. */
  offsets: number[]
  typeIds: number[]
  /** −1: none. */
  wordIds: number[]
  /** Which text a token came from, 0 or 1; −1: none. */
  sequenceIds: number[]
  special: number[]
  attention: number[]
  overflowing: Draft[]
}

export const emptyDraft = (): Draft => ({
  ids: [],
  tokens: [],
  offsets: [],
  typeIds: [],
  wordIds: [],
  sequenceIds: [],
  special: [],
  attention: [],
  overflowing: [],
})

/** Tokens that came from no text. */
export const addedDraft = (ids: readonly number[], tokens: readonly string[], typeId: number): Draft => {
  const all = (value: number): number[] => ids.map(() => value)
  return {
    ids: [...ids],
    tokens: ids.map((_, i) => tokens[i] ?? ''),
    offsets: ids.flatMap(() => [0, 0]),
    typeIds: all(typeId),
    wordIds: all(-1),
    sequenceIds: all(-1),
    special: all(1),
    attention: all(1),
    overflowing: [],
  }
}

const slice = (draft: Draft, from: number, to: number): Draft => ({
  ids: draft.ids.slice(from, to),
  tokens: draft.tokens.slice(from, to),
  offsets: draft.offsets.slice(from * 2, to * 2),
  typeIds: draft.typeIds.slice(from, to),
  wordIds: draft.wordIds.slice(from, to),
  sequenceIds: draft.sequenceIds.slice(from, to),
  special: draft.special.slice(from, to),
  attention: draft.attention.slice(from, to),
  overflowing: [],
})


const concatenated = (left: Draft, right: Draft): Draft => ({
  ids: left.ids.concat(right.ids),
  tokens: left.tokens.concat(right.tokens),
  offsets: left.offsets.concat(right.offsets),
  typeIds: left.typeIds.concat(right.typeIds),
  wordIds: left.wordIds.concat(right.wordIds),
  sequenceIds: left.sequenceIds.concat(right.sequenceIds),
  special: left.special.concat(right.special),
  attention: left.attention.concat(right.attention),
  overflowing: [],
})

/** One after the other; every overflowing part is joined with the other side and with its overflowing parts. */
export const joinDrafts = (drafts: readonly Draft[]): Draft => drafts.reduce(joinTwo, emptyDraft())

const joinTwo = (left: Draft, right: Draft): Draft => {
  const overflowing: Draft[] = []
  for (const part of left.overflowing) {
    overflowing.push(joinTwo(part, right))
    for (const other of right.overflowing) overflowing.push(joinTwo(part, other))
  }
  for (const other of right.overflowing) overflowing.push(joinTwo(left, other))
  return { ...concatenated(left, right), overflowing }
}

/** At most `maxLength` tokens; the others overflow in parts of which neighbours share `stride` tokens. */
export const truncateDraft = (draft: Draft, maxLength: number, stride: number, fromLeft: boolean): Draft => {
  const length = draft.ids.length
  if (maxLength >= length) return draft
  if (maxLength === 0) return { ...emptyDraft(), overflowing: [draft] }
  const step = maxLength - stride
  const parts: Draft[] = []
  if (fromLeft) {
    for (let stop = length; stop > 0; stop -= step) {
      const start = Math.max(0, stop - maxLength)
      parts.push(slice(draft, start, stop))
      if (start === 0) break
    }
  } else {
    for (let start = 0; start < length; start += step) {
      const stop = Math.min(start + maxLength, length)
      parts.push(slice(draft, start, stop))
      if (stop === length) break
    }
  }
  return { ...parts[0]!, overflowing: parts.slice(1) }
}

export interface PadToken {
  readonly id: number
  readonly typeId: number
  readonly token: string
  readonly onLeft: boolean
}

/** Fills up to `length` tokens, the overflowing parts too. */
export const padDraft = (draft: Draft, length: number, pad: PadToken): Draft => {
  const overflowing = draft.overflowing.map((part) => padDraft(part, length, pad))
  const more = length - draft.ids.length
  if (more <= 0) return { ...draft, overflowing }
  const filler = addedDraft(new Array<number>(more).fill(pad.id), new Array<string>(more).fill(pad.token), pad.typeId)
  filler.attention.fill(0)
  return { ...(pad.onLeft ? concatenated(filler, draft) : concatenated(draft, filler)), overflowing }
}

/** Gives all tokens the same. */
export const fillDraft = (draft: Draft, list: 'typeIds' | 'sequenceIds', value: number): void => {
  draft[list].fill(value)
}
