// What a tokenizer puts around a text, or around and between two, of its own accord; and the offsets that it trims.
// Reference: huggingface/tokenizers, processors/.
import { addedDraft, fillDraft, type Draft } from '../encoding/draft.ts'

export interface PostProcessor {
  /** How many tokens it adds to one text or to two. */
  addedTokens(isPair: boolean): number
  process(drafts: readonly Draft[], addSpecialTokens: boolean): readonly Draft[]
}

interface AddedPiece {
  readonly ids: readonly number[]
  readonly tokens: readonly string[]
  readonly typeId: number
}

/** A place in a template: a text (0 or 1) or tokens. */
export type TemplatePiece = { readonly sequence: 0 | 1; readonly typeId: number } | AddedPiece

export const templateProcessing = (single: readonly TemplatePiece[], pair: readonly TemplatePiece[]): PostProcessor => {
  const added = (pieces: readonly TemplatePiece[]): number => pieces.reduce((sum, piece) => sum + ('ids' in piece ? piece.ids.length : 0), 0)
  return {
    addedTokens: (isPair) => added(isPair ? pair : single),
    process: (drafts, addSpecialTokens) =>
      (drafts.length > 1 ? pair : single).flatMap((piece) => {
        if ('ids' in piece) return addSpecialTokens ? [addedDraft(piece.ids, piece.tokens, piece.typeId)] : []
        const draft = drafts[piece.sequence]
        if (draft === undefined) return []
        const copy = { ...draft, typeIds: draft.ids.map(() => piece.typeId) }
        return [copy]
      }),
  }
}

type Token = readonly [token: string, id: number]

const framed = (draft: Draft, before: Draft | undefined, behind: Draft): Draft => {
  const join = (part: Draft): Draft => {
    const parts = before === undefined ? [part, behind] : [before, part, behind]
    return {
      ids: parts.flatMap(({ ids }) => ids),
      tokens: parts.flatMap(({ tokens }) => tokens),
      offsets: parts.flatMap(({ offsets }) => offsets),
      typeIds: parts.flatMap(({ typeIds }) => typeIds),
      wordIds: parts.flatMap(({ wordIds }) => wordIds),
      sequenceIds: parts.flatMap(({ sequenceIds }) => sequenceIds),
      special: parts.flatMap((each) => (each === part ? each.ids.map(() => 0) : each.special)),
      attention: parts.flatMap(({ attention }) => attention),
      overflowing: [],
    }
  }
  return { ...join(draft), overflowing: draft.overflowing.map(join) }
}

const one = ([token, id]: Token, typeId: number): Draft => addedDraft([id], [token], typeId)

/** `[CLS] a [SEP] b [SEP]` */
export const bertProcessing = (sep: Token, cls: Token): PostProcessor => ({
  addedTokens: (isPair) => (isPair ? 3 : 2),
  process: (drafts, addSpecialTokens) =>
    addSpecialTokens ? drafts.map((draft, i) => (i === 0 ? framed(draft, one(cls, 0), one(sep, 0)) : framed(draft, undefined, one(sep, 1)))) : drafts,
})

/** `<s> a </s> </s> b </s>`, all of type 0. */
export const robertaProcessing = (sep: Token, cls: Token, trims: { readonly addPrefixSpace: boolean } | undefined): PostProcessor => ({
  addedTokens: (isPair) => (isPair ? 4 : 2),
  process: (drafts, addSpecialTokens) => {
    if (trims !== undefined) drafts.forEach((draft) => trimOffsets(draft, trims.addPrefixSpace))
    drafts.forEach((draft) => fillDraft(draft, 'typeIds', 0))
    if (!addSpecialTokens) return drafts
    const result = drafts.map((draft, i) => framed(draft, one(i === 0 ? cls : sep, 0), one(sep, 0)))
    for (const { overflowing } of result) overflowing.forEach((part) => fillDraft(part, 'typeIds', 0))
    return result
  },
})

export const byteLevelProcessing = (trims: { readonly addPrefixSpace: boolean } | undefined): PostProcessor => ({
  addedTokens: () => 0,
  process: (drafts) => {
    if (trims !== undefined) drafts.forEach((draft) => trimOffsets(draft, trims.addPrefixSpace))
    return drafts
  },
})

export const processorSequence = (processors: readonly PostProcessor[]): PostProcessor => ({
  addedTokens: (isPair) => processors.reduce((sum, processor) => sum + processor.addedTokens(isPair), 0),
  process: (drafts, addSpecialTokens) => processors.reduce((result, processor) => processor.process(result, addSpecialTokens), drafts),
})

export const noProcessing: PostProcessor = { addedTokens: () => 0, process: (drafts) => drafts }

const leadingSpaces = /^[\u0120\p{White_Space}]*/u
const trailingSpaces = /[\u0120\p{White_Space}]*$/u

/** Leaves the spaces at the ends of a byte-level token out of its range. */
const trimOffsets = (draft: Draft, addPrefixSpace: boolean): void => {
  const { tokens, offsets } = draft
  tokens.forEach((token, i) => {
    let leading = leadingSpaces.exec(token)![0].length
    const trailing = token.endsWith('\u0120') || /\p{White_Space}$/u.test(token) ? trailingSpaces.exec(token)![0].length : 0
    let start = offsets[i * 2]!
    let end = offsets[i * 2 + 1]!
    if (leading === 1 && addPrefixSpace && (i === 0 || start === 0)) leading = 0 // the space was put there by the tokenizer
    if (leading > 0) start = Math.min(start + leading, end)
    if (trailing > 0 && end >= trailing) end = Math.max(end - trailing, start)
    offsets[i * 2] = start
    offsets[i * 2 + 1] = end
  })
  draft.overflowing.forEach((part) => trimOffsets(part, addPrefixSpace))
}
