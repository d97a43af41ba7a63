// What is cut off a chunk of text at its front, at its end and inside. The rules behave as spaCy 3.8's for English; letters are
// taken from Unicode's categories and scripts instead of its written-out ranges. Every rule looks at a bounded neighbourhood.

/** Scripts without case, whole with their marks and digits, as the reference counts them among letters. */
const uncased =
  '\\p{sc=Ethiopic}\\p{sc=Bengali}\\p{sc=Hebrew}\\p{sc=Arabic}\\p{sc=Sinhala}\\p{sc=Devanagari}\\p{sc=Kannada}\\p{sc=Tamil}\\p{sc=Telugu}' +
  '\\p{sc=Hangul}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Han}\\u3000-\\u303f'
const cased = 'Latin Cyrillic Greek'.split(' ')
const oneOf = (category: string): string => `${cased.map((script) => `(?=\\p{sc=${script}})\\p{${category}}`).join('|')}|[${uncased}]`
const lower = `(?:${oneOf('Ll')})`
const upper = `(?:${oneOf('Lu')})`
const letter = `(?:${oneOf('L')})`

const quotes = '\'"”“`‘´’‚,„»«「」『』（）〔〕【】《》〈〉〈〉⟦⟧'
const marks = '…,:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪'
const currencies = '$£€¥฿₽﷼₴₠₡₢₣₤₥₦₧₨₩₪₫₭₮₯₰₱₲₳₵₶₷₸₹₺₻₼₾₿'
const escape = (text: string): string => text.replaceAll(/[\\\][^\-(){}|*+?.$/]/g, '\\$&')

const opening = new Set([...'§%=—–', ...marks, ...quotes, ...currencies])
const closing = new Set([...'—–', ...marks, ...quotes])
const pictograph = /^\p{So}$/u
const digit = /^[0-9]$/

const units = (
  'km km² km³ m m² m³ dm dm² dm³ cm cm² cm³ mm mm² mm³ ha µm nm yd in ft kg g mg µg t lb oz m/s km/h kmh mph hPa Pa mbar mb MB kb KB gb GB tb TB ' +
  'T G M K % км км² км³ м м² м³ дм дм² дм³ см см² см³ мм мм² мм³ нм кг г мг м/с км/ч кПа Па мбар Кб КБ кб Мб МБ мб Гб ГБ гб Тб ТБ'
).split(' ')
const amountEnds = new Set([...units, ...currencies, 'US$', 'C$', 'A$'])
const longestAmountEnd = 4

const beforeFinalStop = new RegExp(`^(?:[0-9]|${lower}|[%²+\\-|${escape(marks + quotes)}])$`, 'u')
const twoCapitals = new RegExp(`${upper}${upper}$`, 'u')

const dotRunAt = (text: string, from: number, to: number): number => {
  let end = from
  while (end < to && text.charCodeAt(end) === 0x2e) end++
  return end - from
}

/** Length of the code point that starts here. */
const lengthAt = (text: string, at: number): number => (text.codePointAt(at)! > 0xffff ? 2 : 1)

/** How many units to cut off the front of text[from, to); 0: none. */
export const prefixLength = (text: string, from: number, to: number): number => {
  if (from >= to) return 0
  const dots = dotRunAt(text, from, to)
  if (dots > 0) return dots > 1 ? dots : 0
  const first = text.slice(from, from + lengthAt(text, from))
  if (opening.has(first)) return first.length
  if (first === '+') return from + 1 < to && digit.test(text.charAt(from + 1)) ? 0 : 1
  if (first === 'U') return text.startsWith('US$', from) && from + 3 <= to ? 3 : 0
  if (first === 'C' || first === 'A') return text.charAt(from + 1) === '$' && from + 2 <= to ? 2 : 0
  return first.charCodeAt(0) > 0x7f && pictograph.test(first) ? first.length : 0
}

/** How many units to cut off the end of text[from, to): the longest rule that holds; 0: none. */
export const suffixLength = (text: string, from: number, to: number): number => {
  if (from >= to) return 0
  const before = lastCodePoint(text, from, to)
  if (before === '.') return stopLength(text, from, to)
  if ((before === 's' || before === 'S') && to - from >= 2 && (text[to - 2] === "'" || text[to - 2] === '’')) return 2
  if (before === '…') return to - from >= 2 && text[to - 2] === '…' ? 2 : 1
  const amount = amountEndLength(text, from, to)
  if (amount > 0) return amount
  if (closing.has(before)) return before.length
  if (before === '+') return to - from >= 2 && digit.test(text[to - 2]!) ? 1 : 0
  return before.charCodeAt(0) > 0x7f && pictograph.test(before) ? before.length : 0
}

const lastCodePoint = (text: string, from: number, to: number): string => {
  const last = text.charCodeAt(to - 1)
  const isPair = (last & 0xfc00) === 0xdc00 && to - from >= 2 && (text.charCodeAt(to - 2) & 0xfc00) === 0xd800
  return text.slice(isPair ? to - 2 : to - 1, to)
}

/** A final stop goes with its like, or alone after a small letter, a digit, a mark or two capitals. */
const stopLength = (text: string, from: number, to: number): number => {
  let start = to - 1
  while (start > from && text.charCodeAt(start - 1) === 0x2e) start--
  if (to - start > 1) return to - start
  if (to - from < 2) return 0
  const previous = lastCodePoint(text, from, to - 1)
  if (beforeFinalStop.test(previous)) return 1
  if (to - from >= 3 && /[FfCcKk]/.test(previous) && text[to - 3] === '°') return 1
  return twoCapitals.test(text.slice(Math.max(from, to - 5), to - 1)) ? 1 : 0
}

/** A unit or currency right after a digit. */
const amountEndLength = (text: string, from: number, to: number): number => {
  for (let length = Math.min(longestAmountEnd, to - from - 1); length > 0; length--) {
    if (digit.test(text[to - length - 1]!) && amountEnds.has(text.slice(to - length, to))) return length
  }
  return 0
}

/** Where to cut inside; a global expression, to be used with `matchAll`. */
export const infixes = new RegExp(
  [
    '\\.{2,}',
    '…',
    '\\p{So}',
    '(?<=[0-9])[+\\-*^](?=[0-9\\-])',
    `(?<=${lower}|[${escape(quotes)}])\\.(?=${upper}|[${escape(quotes)}])`,
    `(?<=${letter}),(?=${letter})`,
    `(?<=[0-9]|${letter})(?:-|–|—|--|---|——|~)(?=${letter})`,
    `(?<=[0-9]|${letter})[:<>=/](?=${letter})`,
  ].join('|'),
  'gu',
)
