// Which characters count as punctuation and which end a sentence in the rules of Gopher and FineWeb, as datatrove runs them.
// The sets decide documents on a threshold, so they are written out here and do not move with a Unicode version.

/** Code points of a list such as `21,61d-61f`, hexadecimal. */
const parseCodePoints = (ranges: string): number[] =>
  ranges.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map((end) => Number.parseInt(end, 16))
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })

/** End a sentence in the splitter as well: Unicode's Sentence_Terminal as of version 8. */
const sentenceEnds = parseCodePoints(
  '21,2e,3f,589,61f,6d4,700-702,7f9,964-965,104a-104b,1362,1367-1368,166e,1735-1736,1803,1809,1944-1945,1aa8-1aab,1b5a-1b5b,1b5e-1b5f,' +
    '1c3b-1c3c,1c7e-1c7f,203c-203d,2047-2049,2e2e,2e3c,3002,a4ff,a60e-a60f,a6f3,a6f7,a876-a877,a8ce-a8cf,a92f,a9c8-a9c9,aa5d-aa5f,' +
    'aaf0-aaf1,abeb,fe52,fe56-fe57,ff01,ff0e,ff1f,ff61,10a56-10a57,11047-11048,110be-110c1,11141-11143,111c5-111c6,111cd,111de-111df,' +
    '11238-11239,1123b-1123c,112a9,1144b-1144c,115c2-115c3,115c9-115d7,11641-11642,1173c-1173e,11a42-11a43,11a9b-11a9c,11c41-11c42,' +
    '16a6e-16a6f,16af5,16b37-16b38,16b44,1bc9f,1da88',
)

/** Later versions' additions: they end a line for FineWeb, but no sentence for the splitter. */
const laterSentenceEnds = parseCodePoints(
  '61d-61e,837,839,83d-83e,17d4-17d6,17d9-17da,1b7d-1b7e,2e53-2e54,10f55-10f59,10f86-10f89,11944,11946,11ef7-11ef8,11f43-11f44,16e98',
)

/**
 * What text simplification turns into spaces: ASCII marks, some of their typographic, CJK and full-width relatives, and control
 * characters except tab and line feed. That the full-width digit one is among them is the reference's own slip.
 */
const simplifiedMarks = parseCodePoints(
  '0-8,b-1f,21-2f,3a-40,5b-60,7b-9f,ab,b4,bb,2013-2014,2019,201c-201e,2026,2236,2501,25ba,3001-3002,3008-300d,3010-3011,ff01,ff05,' +
    'ff08-ff09,ff0c,ff0e,ff11,ff1a-ff1b,ff1f,ff5e',
)

const endSet = new Set(sentenceEnds)
const terminalSet = new Set([...sentenceEnds, ...laterSentenceEnds])
const markSet = new Set(simplifiedMarks)

/** Whether this code point ends a sentence in the splitter. */
export const endsSentence = (codePoint: number): boolean => endSet.has(codePoint)

/** Whether this code point is in datatrove's TERMINAL_PUNCTUATION. */
export const isTerminalPunctuation = (codePoint: number): boolean => terminalSet.has(codePoint)

/** Whether text simplification turns this code point into a space. */
export const isSimplifiedMark = (codePoint: number): boolean => markSet.has(codePoint)

/** Whether Gopher's rules take this code point for a symbol: simplified marks and terminal punctuation. */
export const isSymbol = (codePoint: number): boolean => markSet.has(codePoint) || terminalSet.has(codePoint)

/** Whether the text ends in terminal punctuation, white space not forgiven. */
export const endsWithTerminalPunctuation = (text: string): boolean => {
  if (text === '') return false
  const last = text.charCodeAt(text.length - 1)
  const codePoint = (last & 0xfc00) === 0xdc00 && text.length > 1 ? text.codePointAt(text.length - 2)! : last
  return terminalSet.has(codePoint)
}
