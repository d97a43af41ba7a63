// Finds the terms of many lists in a text in one pass. Words are runs of letters and digits, so that "women's" and "African-American" hold
// "women" and "african american"; the longest term wins.

interface TermHit {
  /** Index into the lists given. */
  readonly list: number
  /** Index of the term within its list. */
  readonly term: number
}

export interface TermMatcher {
  /** Calls for every hit with the index of its first word; returns how many words the text has. */
  forEachHit(text: string, visit: (hit: TermHit, word: number) => void): number
}

interface Candidate extends TermHit {
  /** Lower case unless the term has a capital. */
  readonly words: readonly { readonly text: string; readonly isExact: boolean }[]
}

const wordPattern = /[\p{L}\p{M}\p{N}]+/gu

export const createTermMatcher = (lists: readonly (readonly string[])[]): TermMatcher => {
  const byFirst = new Map<string, Candidate[]>()
  for (const [list, terms] of lists.entries()) {
    for (const [term, text] of terms.entries()) {
      const words = [...text.matchAll(wordPattern)].map(([word]) => ({ text: word, isExact: word !== word.toLowerCase() }))
      const first = words[0]?.text.toLowerCase()
      if (first === undefined) continue
      byFirst.set(first, [...(byFirst.get(first) ?? []), { list, term, words }].sort((a, b) => b.words.length - a.words.length))
    }
  }
  return {
    forEachHit: (text, visit) => {
      const ring = createWordRing(text)
      let index = 0
      for (let word = ring.at(0); word !== undefined; word = ring.at(++index)) {
        const candidates = byFirst.get(word.lower)
        if (candidates === undefined) continue
        const isHere = (candidate: Candidate): boolean =>
          candidate.words.every(({ text: wanted, isExact }, i) => {
            const found = ring.at(index + i)
            return found !== undefined && (isExact ? found.text === wanted : found.lower === wanted)
          })
        const seen = new Set<number>()
        for (const candidate of candidates) {
          // One hit a list; a term may stand in several lists.
          if (seen.has(candidate.list) || !isHere(candidate)) continue
          seen.add(candidate.list)
          visit(candidate, index)
        }
      }
      return index
    },
  }
}

/** The words of a text by index, a few at a time: a text of 100 MB needs no list of all its words. */
const createWordRing = (text: string) => {
  const words = text.matchAll(wordPattern)
  const ring: { text: string; lower: string }[] = []
  const size = 16 // longer than any term
  let read = 0
  return {
    at: (index: number): { text: string; lower: string } | undefined => {
      while (read <= index) {
        const next = words.next()
        if (next.done) return undefined
        const [word] = next.value
        ring[read++ % size] = { text: word, lower: word.toLowerCase() }
      }
      return ring[index % size]
    },
  }
}
