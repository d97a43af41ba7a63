// Where a text may be cut: after whole sentences or whole paragraphs. Rules, not a model: a cut at a doubtful place (an
// abbreviation, an initial) is left out rather than made, since another one is never far.

/** Finds the next place at or after `from` where a text may be cut; −1: none before the end, `length` excluded. */
export type CutFinder = (text: string, from: number) => number

/** After a blank line. */
export const nextParagraphEnd: CutFinder = (text, from) => {
  const blank = /\n[ \t]*\n\s*/g
  blank.lastIndex = from
  const match = blank.exec(text)
  return match !== null && blank.lastIndex < text.length ? blank.lastIndex : -1
}

/** After a sentence or a blank line. */
export const nextSentenceEnd: CutFinder = (text, from) => {
  // A full stop of Latin, Greek, Cyrillic, Devanagari, Arabic …, closing marks, white space; CJK needs no space; or a blank line.
  // One mark, not a run of them: on a line of a million dots a run would be tried from each of them again.
  const end = /[.!?…۔؟।]["'”’»)\]]*\s+|[。！？｡][”’」』）]*\s*|\n[ \t]*\n\s*/g
  end.lastIndex = from
  for (let match = end.exec(text); match !== null && end.lastIndex < text.length; match = end.exec(text)) {
    if (isSentenceEnd(text, match.index, match[0], end.lastIndex)) return end.lastIndex
  }
  return -1
}

/** Where a cut that is not complete yet may begin at the earliest: before the marks and white space at the end. */
export const openTail = (text: string, from: number): number => {
  let tail = text.length
  while (tail > from && /[\s"'”’»)\]」』）.!?…۔؟।。！？｡]/.test(text.charAt(tail - 1))) tail--
  return tail
}

const isSentenceEnd = (text: string, stop: number, found: string, next: number): boolean => {
  if (/\n[ \t]*\n/.test(found)) return true
  if (/\p{Ll}/u.test(text.charAt(next))) return false // "approx. half", "Stop!" he said
  if (!found.startsWith('.')) return true
  const word = /[\p{L}\p{M}.'’-]*$/u.exec(text.slice(Math.max(0, stop - 24), stop))?.[0] ?? ''
  return !/^(?:\p{L}\.)*\p{Lu}$/u.test(word) && !abbreviations.has(word.toLowerCase()) // "J. Smith", "U.S. Senate", "Mr. Smith"
}

// What stands before a name or a number, so that a capital or a digit after it opens no sentence.
const abbreviations = new Set(
  ('mr mrs ms mx messrs mme mlle dr prof rev hon gov sen rep pres gen col lt maj capt cmdr sgt cpl adm st ste mt ft sr jr vs cf ' +
    'e.g i.e viz no nos vol pp p fig figs eq sec art ch jan feb mar apr jun jul aug sept sep oct nov dec approx ca hr hrn fr bzw ' +
    'usw nr').split(' '),
)
