// WordLevel: a piece is a token, or unknown.
import { missingUnknown, pushToken, type Model } from './model.ts'
import type { TokenIds } from './token-ids.ts'

export const createWordLevel = (vocabulary: TokenIds, unknown: string): Model => {
  const unknownId = vocabulary.get(unknown)
  return {
    size: vocabulary.size,
    tokenToId: vocabulary.get,
    idToToken: vocabulary.tokenAt,
    unknownId,
    encodePiece: (text, from, to, output) => {
      const found = vocabulary.findJoined(text, from, to, '', 0, 0)
      const id = found < 0 ? unknownId : found
      if (id === undefined) throw missingUnknown(text.slice(from, to))
      pushToken(output, id, from, to)
    },
  }
}
