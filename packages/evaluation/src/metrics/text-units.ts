// How text is counted: code points, UTF-8 bytes, whitespace-separated words, and words for n-gram measures.

const encoder = new TextEncoder()

/** Code points, as Python's `len` counts. */
export const countCharacters = (text: string): number => {
  let count = 0
  for (const _ of text) count++
  return count
}

export const countBytes = (text: string): number => encoder.encode(text).length

/** What Python's `\s` matches in a string, which is not what JavaScript's does (U+FEFF; U+001C to U+001F; U+0085). */
const pythonSpace = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/

/** Pieces between runs of white space; the empty ones at the ends count too, as in lm-evaluation-harness's word perplexity. */
export const countSpacedWords = (text: string): number => text.split(pythonSpace).length

/** Pieces between runs of white space, without empty ones: Python's `str.split()`. */
export const splitSpaced = (text: string): string[] => text.split(pythonSpace).filter((word) => word !== '')

// Scripts written without spaces: each character is a unit of its own there.
const spaceless = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}`
const inWord = String.raw`(?![${spaceless}])[\p{L}\p{M}\p{N}]`
const apostrophe = String.raw`(?<=\p{L})['’](?=\p{L})`
const wordPattern = new RegExp(String.raw`[${spaceless}]|(?:${inWord}|${apostrophe})+|[^\s\p{L}\p{M}\p{N}]`, 'gu')

/** Lower-cased words and single punctuation marks, for measures of variety and repetition. */
export const wordsOf = (text: string): string[] => text.toLowerCase().match(wordPattern) ?? []
