// A tokenizer small enough to see through: words and marks of a fixed list, id 0 ends a text, id 1 stands for what is not listed.
import type { Tokenizer } from '@weft/contracts'

export const createWordTokenizer = (words: readonly string[], options: { readonly hasEnd?: boolean } = {}): Tokenizer => {
  const { hasEnd = true } = options
  const list = ['<end>', '<unknown>', ...words]
  const ids = new Map(list.map((word, id) => [word, id]))
  const textOf = (id: number): string => (id === 0 ? '' : ` ${list[id]}`)
  return {
    vocabSize: list.length,
    specialTokens: new Map([['<end>', 0]]),
    endIds: hasEnd ? [0] : [],
    unknownId: 1,
    encode: (text) => Uint32Array.from(text.split(/\s+/).filter((word) => word !== ''), (word) => ids.get(word) ?? 1),
    decode: (tokens) => [...tokens].map(textOf).join(''),
    tokenBytes: (id) => new TextEncoder().encode(textOf(id)),
  }
}
