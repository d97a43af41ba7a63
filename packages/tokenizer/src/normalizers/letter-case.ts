// Lowercase, character by character: unlike String.toLowerCase, a capital sigma at the end of a word is no exception.
import { transformed, type Normalizer } from '../text/tracked-text.ts'

export const lowercase: Normalizer = (input) => {
  const { text } = input
  const lower = (text.includes('\u03a3') ? text.replaceAll('\u03a3', '\u03c3') : text).toLowerCase()
  if (lower === text) return input
  if (input.origins === undefined) return { text: lower, start: input.start }
  const characters: string[] = []
  const changes: number[] = []
  for (const character of text) {
    let change = 0
    for (const part of character === '\u03a3' ? '\u03c3' : character.toLowerCase()) {
      characters.push(part)
      changes.push(change)
      change = 1
    }
  }
  return transformed(input, characters, changes)
}
