// A tokenizer of any kind over UTF-16 text: segments, normalization, pieces, a model. It finds ids alone, as fast as it can, or
// everything that is to be known of each token.
import { emptyDraft, type Draft } from '../encoding/draft.ts'
import { toCodePoints } from '../encoding/encoding.ts'
import type { PaddingOptions, TruncationOptions } from '../encoding/limits.ts'
import { createTokenBuffer, type Model } from '../models/model.ts'
import type { IdBuffer } from '../models/piece-encoder.ts'
import { pushId } from '../models/piece-encoder.ts'
import { createPieceMemory } from '../models/piece-memory.ts'
import type { PostProcessor } from '../post-processors/post-processor.ts'
import { cutting, createPieceSteps, type Cutter, type PieceStep } from '../pre-tokenizers/piece-step.ts'
import type { Normalizer, TrackedText } from '../text/tracked-text.ts'
import type { AddedToken } from './added-tokens.ts'
import { createSegmenter } from './segments.ts'

export interface TextParts {
  readonly model: Model
  readonly addedTokens: readonly AddedToken[]
  readonly normalizer?: Normalizer | undefined
  readonly steps: readonly PieceStep[]
  /** Whether a step asks where its text came from, so that it must always be known. */
  readonly alwaysTracks: boolean
  /** Cuts that change no ids, made where only ids are wanted. */
  readonly barrier?: Cutter | undefined
  readonly processor: PostProcessor
  readonly truncation?: TruncationOptions | undefined
  readonly padding?: PaddingOptions | undefined
}

export interface TextEngine {
  readonly parts: TextParts
  /** Appends the ids of a text, without those of the template. */
  encodeIds(text: string, allowSpecial: boolean | readonly string[], output: IdBuffer): void
  /** The tokens of a text with all that is known of them, before post-processing. */
  draft(text: string, allowSpecial: boolean | readonly string[], typeId: number): Draft
}

export const createTextEngine = (parts: TextParts): TextEngine => {
  const { model, steps, barrier } = parts
  const segments = createSegmenter(parts.addedTokens, parts.normalizer)
  const cut = createPieceSteps(steps)
  const cutFully = barrier === undefined ? cut : createPieceSteps([...steps, cutting(barrier)])
  const pieceToIds = createPieceMemory(model)
  const tokens = createTokenBuffer()

  const encodeText = (segment: TrackedText, output: IdBuffer): void => {
    const { input, pieces } = cutFully(segment)
    const { text } = input
    const { spans, count } = pieces
    for (let piece = 0; piece < count; piece++) pieceToIds(text, spans[piece * 2]!, spans[piece * 2 + 1]!, output)
  }

  const draftText = (segment: TrackedText, draft: Draft, firstWord: number): number => {
    const { input, pieces } = cut(segment)
    const { starts, ends } = input.origins!
    for (let piece = 0; piece < pieces.count; piece++) {
      tokens.count = 0
      model.encodePiece(input.text, pieces.spans[piece * 2]!, pieces.spans[piece * 2 + 1]!, tokens)
      for (let i = 0; i < tokens.count; i++) {
        const id = tokens.ids[i]!
        const from = tokens.starts[i]!
        const to = tokens.ends[i]!
        const isUnknownText = model.writesUnknownAsText === true && id === model.unknownId
        draft.tokens.push(isUnknownText ? input.text.slice(from, to) : (model.idToToken(id) ?? ''))
        pushPlace(draft, id, starts[from] ?? input.start, to > from ? ends[to - 1]! : (starts[from] ?? input.start), firstWord + piece)
      }
    }
    return pieces.count
  }

  return {
    parts,
    encodeIds: (text, allowSpecial, output) => {
      for (const { tokenId, input } of segments(text, allowSpecial, parts.alwaysTracks)) {
        if (tokenId >= 0) pushId(output, tokenId)
        else encodeText(input, output)
      }
    },
    draft: (text, allowSpecial, typeId) => {
      const draft = emptyDraft()
      let words = 0
      for (const { tokenId, input } of segments(text, allowSpecial, true)) {
        if (tokenId >= 0) {
          const { starts, ends } = input.origins!
          draft.tokens.push(input.text)
          pushPlace(draft, tokenId, starts[0] ?? input.start, ends.at(-1) ?? input.start, words++)
        } else {
          words += draftText(input, draft, words)
        }
      }
      toCodePoints(draft.offsets, text)
      draft.typeIds = draft.ids.map(() => typeId)
      draft.sequenceIds = draft.ids.map(() => 0)
      draft.special = draft.ids.map(() => 0)
      draft.attention = draft.ids.map(() => 1)
      return draft
    },
  }
}

const pushPlace = (draft: Draft, id: number, start: number, end: number, word: number): void => {
  draft.ids.push(id)
  draft.offsets.push(start, end)
  draft.wordIds.push(word)
}
