// The split patterns that nearly all byte-level tokenizers use, as hand-written scanners over UTF-8: GPT-2's, cl100k (also Llama 3;
// Qwen 2 with single digits) and o200k. Each gives exactly the pieces of its regular expression (tested against it on any text),
// without an object per piece and without backtracking.
// Patterns: openai/tiktoken, tiktoken_ext/openai_public.py; huggingface/tokenizers, pre_tokenizers/byte_level.rs.
import { scanningSplitter, type Splitter } from './pieces.ts'
import { classAt, LETTER, LOWER, NUMBER, OTHER, skipRun, SPACE, stepBack, UPPER, widthAt } from '../text/unicode-classes.ts'

const QUOTE = 0x27
const BLANK = 0x20
const CR = 0x0d
const LF = 0x0a
const SLASH = 0x2f

/** Bytes of `'s 't 're 've 'm 'll 'd` at `at`, where a quote stands; 0 if none. ſ (U+017F) folds to s where case is ignored. */
const contractionLength = (bytes: Uint8Array, at: number, end: number, ignoreCase: boolean): number => {
  if (at + 1 >= end) return 0
  const fold = ignoreCase ? 0x20 : 0
  const first = bytes[at + 1]! | fold
  if (first === 0x73 || first === 0x74 || first === 0x6d || first === 0x64) return 2 // s t m d
  if (ignoreCase && bytes[at + 1] === 0xc5) return bytes[at + 2] === 0xbf ? 3 : 0
  if (at + 2 >= end) return 0
  const second = bytes[at + 2]! | fold
  const isPair = ((first === 0x72 || first === 0x76) && second === 0x65) || (first === 0x6c && second === 0x6c) // re ve ll
  return isPair ? 3 : 0
}

/** `\s+(?!\S)|\s+`: a run of white space leaves its last character to the word behind it, unless it is the only one. */
const spaceEnd = (bytes: Uint8Array, at: number, runEnd: number, end: number): number => {
  if (runEnd === end) return runEnd
  const last = stepBack(bytes, runEnd)
  return last > at ? last : runEnd
}

const gpt2End = (bytes: Uint8Array, at: number, end: number): number => {
  const first = bytes[at]!
  if (first === QUOTE) {
    const length = contractionLength(bytes, at, end, false)
    if (length > 0) return at + length
  }
  const body = first === BLANK && at + 1 < end ? at + 1 : at
  const kind = classAt(bytes, body) & (LETTER | NUMBER | OTHER)
  return kind === 0 ? spaceEnd(bytes, at, skipRun(bytes, at, end, SPACE), end) : skipRun(bytes, body, end, kind)
}

/** `\p{N}{1,max}` */
const digitsEnd = (bytes: Uint8Array, at: number, end: number, max: number): number => {
  let digits = 0
  while (digits < max && at < end && (classAt(bytes, at) & NUMBER) !== 0) {
    at += widthAt(bytes, at)
    digits++
  }
  return at
}

/** ` ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`, with `/` among the trailing characters for o200k. */
const symbolsOrSpaceEnd = (bytes: Uint8Array, at: number, end: number, slashToo: boolean): number => {
  const body = bytes[at] === BLANK ? at + 1 : at
  if (body < end && (classAt(bytes, body) & OTHER) !== 0) {
    let tail = skipRun(bytes, body, end, OTHER)
    while (tail < end && (bytes[tail] === CR || bytes[tail] === LF || (slashToo && bytes[tail] === SLASH))) tail++
    return tail
  }
  const runEnd = skipRun(bytes, at, end, SPACE)
  for (let last = runEnd - 1; last >= at; last--) if (bytes[last] === CR || bytes[last] === LF) return last + 1
  return spaceEnd(bytes, at, runEnd, end)
}

const isPrefix = (kind: number, first: number): boolean => (kind & (LETTER | NUMBER)) === 0 && first !== CR && first !== LF

const cl100kEnd =
  (maxDigits: number) =>
  (bytes: Uint8Array, at: number, end: number): number => {
    const first = bytes[at]!
    if (first === QUOTE) {
      const length = contractionLength(bytes, at, end, true)
      if (length > 0) return at + length
    }
    const kind = classAt(bytes, at)
    if ((kind & LETTER) !== 0) return skipRun(bytes, at, end, LETTER)
    if ((kind & NUMBER) !== 0) return digitsEnd(bytes, at, end, maxDigits)
    const next = at + widthAt(bytes, at)
    if (next < end && isPrefix(kind, first) && (classAt(bytes, next) & LETTER) !== 0) return skipRun(bytes, next, end, LETTER)
    return symbolsOrSpaceEnd(bytes, at, end, false)
  }

/** `UPPER*LOWER+` at `at`; −1 where it does not match. Some classes are in both, so the first run may have to give back. */
const mixedCaseEnd = (bytes: Uint8Array, at: number, end: number): number => {
  const upperEnd = skipRun(bytes, at, end, UPPER)
  if (upperEnd < end && (classAt(bytes, upperEnd) & LOWER) !== 0) return skipRun(bytes, upperEnd, end, LOWER)
  for (let stop = upperEnd; stop > at; ) {
    const start = stepBack(bytes, stop)
    if ((classAt(bytes, start) & LOWER) !== 0) return stop
    stop = start
  }
  return -1
}

/** `UPPER+LOWER*`, tried only where `UPPER*LOWER+` has failed; −1 where it does not match. */
const upperCaseEnd = (bytes: Uint8Array, at: number, end: number): number => {
  const upperEnd = skipRun(bytes, at, end, UPPER)
  return upperEnd === at ? -1 : skipRun(bytes, upperEnd, end, LOWER)
}

const o200kWordEnd = (bytes: Uint8Array, at: number, end: number, kind: number): number => {
  const afterPrefix = isPrefix(kind, bytes[at]!) ? at + widthAt(bytes, at) : -1
  let wordEnd = afterPrefix < 0 ? -1 : mixedCaseEnd(bytes, afterPrefix, end)
  if (wordEnd < 0) wordEnd = mixedCaseEnd(bytes, at, end)
  if (wordEnd < 0 && afterPrefix >= 0) wordEnd = upperCaseEnd(bytes, afterPrefix, end)
  if (wordEnd < 0) wordEnd = upperCaseEnd(bytes, at, end)
  if (wordEnd > 0 && wordEnd < end && bytes[wordEnd] === QUOTE) return wordEnd + contractionLength(bytes, wordEnd, end, true)
  return wordEnd
}

const o200kEnd = (bytes: Uint8Array, at: number, end: number): number => {
  const kind = classAt(bytes, at)
  if ((kind & NUMBER) !== 0) return digitsEnd(bytes, at, end, 3)
  const wordEnd = o200kWordEnd(bytes, at, end, kind)
  return wordEnd > 0 ? wordEnd : symbolsOrSpaceEnd(bytes, at, end, true)
}

/** Each number alone, or whole runs of numbers, and what lies between. */
export const splitDigits = (individual: boolean): Splitter =>
  scanningSplitter((bytes, at, end) => {
    if ((classAt(bytes, at) & NUMBER) === 0) return skipRun(bytes, at, end, LETTER | SPACE | OTHER)
    return individual ? at + widthAt(bytes, at) : skipRun(bytes, at, end, NUMBER)
  })

export const splitGpt2: Splitter = scanningSplitter(gpt2End)
const splitCl100k = scanningSplitter(cl100kEnd(3))
const splitSingleDigits = scanningSplitter(cl100kEnd(1))
const splitO200k = scanningSplitter(o200kEnd)

const cased = `'s|'t|'re|'ve|'m|'ll|'d`
const afterWord = String.raw`[^\r\n\p{L}\p{N}]?\p{L}+`
const symbols = String.raw` ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
const upper = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`
const lower = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`

/** The patterns under their usual names, as a tokenizer.json writes them. */
export const namedPatterns = {
  gpt2: String.raw`${cased}| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  cl100k: String.raw`(?i:${cased})|${afterWord}|\p{N}{1,3}|${symbols}`,
  o200k: [
    `[^\\r\\n\\p{L}\\p{N}]?${upper}*${lower}+(?i:${cased})?`,
    `[^\\r\\n\\p{L}\\p{N}]?${upper}+${lower}*(?i:${cased})?`,
    String.raw`\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  ].join('|'),
} as const

const gpt2Tail = String.raw`| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
const shortCased = `'(?:[sdmt]|ll|ve|re)`

/** Pattern text → its scanner. The same pattern is written in several ways: with other orders or possessive quantifiers. */
const scanners: ReadonlyMap<string, Splitter> = new Map<string, Splitter>([
  [namedPatterns.gpt2, splitGpt2],
  [`${shortCased}${gpt2Tail}`, splitGpt2],
  [String.raw`${shortCased}| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s`, splitGpt2],
  [namedPatterns.cl100k, splitCl100k],
  [String.raw`(?i:${shortCased})|${afterWord}|\p{N}{1,3}|${symbols}`, splitCl100k],
  [String.raw`(?i:${cased})|${afterWord}|\p{N}|${symbols}`, splitSingleDigits],
  [namedPatterns.o200k, splitO200k],
])

/** The hand-written scanner for exactly this pattern text, where there is one. */
export const knownSplitter = (pattern: string): Splitter | undefined => scanners.get(pattern)
