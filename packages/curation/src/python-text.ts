// Text as Python sees it. The reference filters count code points and use Python's ideas of white space and line ends, which
// differ from JavaScript's in ways that decide documents on a threshold.

/** Number of code points; a lone surrogate counts as one. */
export const codePointLength = (text: string): number => {
  let count = text.length
  for (let i = 0; i < text.length - 1; i++) {
    if (isHighSurrogate(text.charCodeAt(i)) && isLowSurrogate(text.charCodeAt(i + 1))) {
      count--
      i++
    }
  }
  return count
}

export const isHighSurrogate = (unit: number): boolean => (unit & 0xfc00) === 0xd800
export const isLowSurrogate = (unit: number): boolean => (unit & 0xfc00) === 0xdc00

/** `str.isspace` of one UTF-16 unit: Unicode's white space and the four ASCII separators, without U+FEFF. */
export const isSpace = (unit: number): boolean => {
  if (unit < 0x80) return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d) || (unit >= 0x1c && unit <= 0x1f)
  if (unit < 0x1680) return unit === 0x85 || unit === 0xa0
  return (
    unit === 0x1680 || (unit >= 0x2000 && unit <= 0x200a) || unit === 0x2028 || unit === 0x2029 || unit === 0x202f || unit === 0x205f || unit === 0x3000
  )
}

const isLineEnd = (unit: number): boolean =>
  (unit >= 0x0a && unit <= 0x0d) || (unit >= 0x1c && unit <= 0x1e) || unit === 0x85 || unit === 0x2028 || unit === 0x2029

/** Where the lines of `str.splitlines` lie; a line end at the end of the text opens no further line. */
export const lineSpans = (text: string): [start: number, end: number][] => {
  const spans: [number, number][] = []
  let start = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (!isLineEnd(unit)) continue
    spans.push([start, i])
    if (unit === 0x0d && text.charCodeAt(i + 1) === 0x0a) i++
    start = i + 1
  }
  if (start < text.length) spans.push([start, text.length])
  return spans
}

/** `str.splitlines()`. */
export const splitLines = (text: string): string[] => lineSpans(text).map(([start, end]) => text.slice(start, end))

/** The span without white space at its ends. */
export const stripSpan = (text: string, from = 0, to = text.length): [start: number, end: number] => {
  let start = from
  let end = to
  while (start < end && isSpace(text.charCodeAt(start))) start++
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--
  return [start, end]
}

/** `str.strip()`. */
export const strip = (text: string): string => text.slice(...stripSpan(text))

/** Where the words of `str.split()` lie: runs without white space. */
export const nonSpaceSpans = (text: string, from = 0, to = text.length): [start: number, end: number][] => {
  const spans: [number, number][] = []
  let i = from
  while (i < to) {
    while (i < to && isSpace(text.charCodeAt(i))) i++
    const start = i
    while (i < to && !isSpace(text.charCodeAt(i))) i++
    if (i > start) spans.push([start, i])
  }
  return spans
}

/** How often `part` occurs, occurrences not overlapping. */
export const countOccurrences = (text: string, part: string): number => {
  let count = 0
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count++
  return count
}
