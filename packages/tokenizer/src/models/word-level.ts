// WordLevel: a piece is a token, or unknown.
import { missingUnknown, pushToken, type Model, type Vocabulary } from './model.ts'

export const createWordLevel = (vocabulary: Vocabulary, unknown: string): Model => {
  const unknownId = vocabulary.ids.get(unknown)
  return {
    size: vocabulary.tokens.length,
    tokenToId: (token) => vocabulary.ids.get(token),
    idToToken: (id) => vocabulary.tokens[id],
    unknownId,
    encodePiece: (text, from, to, output) => {
      const piece = text.slice(from, to)
      const id = vocabulary.ids.get(piece) ?? unknownId
      if (id === undefined) throw missingUnknown(piece)
      pushToken(output, id, from, to)
    },
  }
}
