// Split patterns are written for Oniguruma (tokenizer.json) or Rust's regex (tiktoken); this turns them into JavaScript that means
// the same: Unicode `\s \d \w`, groups that ignore case, possessive quantifiers and atomic groups as a look-ahead with a back
// reference, `^ $` at every line. What has no counterpart is an UnsupportedError, never a silent difference.
import { UnsupportedError } from '@weft/contracts'
import { engineIsNewer, newerThanReference } from '../text/unicode-differences.ts'

/** @throws UnsupportedError for syntax without a JavaScript counterpart; the message has `where`. */
export const compilePattern = (pattern: string, where: string): RegExp => {
  const reader = createReader(pattern, where)
  const source = readAlternatives(reader, false)
  if (reader.at < pattern.length) throw reader.unsupported('an unmatched )')
  try {
    return new RegExp(source, 'gv')
  } catch (cause) {
    throw new UnsupportedError(`${where}: the pattern ${JSON.stringify(pattern)} cannot be compiled`, { cause })
  }
}

interface Reader {
  readonly pattern: string
  at: number
  /** How many capturing groups were written; they exist only for the sake of atomic groups. */
  groups: number
  unsupported(what: string): UnsupportedError
}

const createReader = (pattern: string, where: string): Reader => {
  const reader: Reader = {
    pattern,
    at: 0,
    groups: 0,
    unsupported: (what) =>
      new UnsupportedError(`${where}: ${what} at character ${reader.at} of the pattern ${JSON.stringify(pattern)} is not supported`),
  }
  return reader
}

const readAlternatives = (reader: Reader, ignoreCase: boolean): string => {
  let source = ''
  let folds = ignoreCase
  while (reader.at < reader.pattern.length && reader.pattern[reader.at] !== ')') {
    if (reader.pattern[reader.at] === '|') {
      source += '|'
      reader.at++
    } else if (reader.pattern.startsWith('(?i)', reader.at)) {
      folds = true
      reader.at += 4
    } else {
      source += readQuantified(reader, folds)
    }
  }
  return source
}

const quantifier = /(?:[*+?]|\{\d+(?:,\d*)?\}|\{,\d+\})/y

const readQuantified = (reader: Reader, ignoreCase: boolean): string => {
  const group = reader.groups
  const atom = readAtom(reader, ignoreCase)
  quantifier.lastIndex = reader.at
  const found = quantifier.exec(reader.pattern)?.[0]
  if (found === undefined) return atom
  reader.at += found.length
  const times = found.startsWith('{,') ? `{0${found.slice(1)}` : found
  const mode = reader.pattern[reader.at]
  if (mode !== '?' && mode !== '+') return atom + times
  reader.at++
  if (mode === '?') return `${atom}${times}?`
  if (reader.groups > group) throw reader.unsupported('an atomic group inside a possessive quantifier')
  return atomic(reader, atom + times)
}

/** A look-ahead never gives back what it matched: capture it there, then consume the capture. */
const atomic = (reader: Reader, source: string): string => {
  reader.groups++
  return `(?:(?=(${source}))\\${reader.groups}(?:))`
}

const readAtom = (reader: Reader, ignoreCase: boolean): string => {
  const unit = String.fromCodePoint(reader.pattern.codePointAt(reader.at)!)
  if (unit === '(') return readGroup(reader, ignoreCase)
  if (unit === '[') return readClass(reader, ignoreCase)
  if (unit === '\\') return readEscape(reader, ignoreCase, false)
  if ('*+?'.includes(unit)) throw reader.unsupported(`a ${unit} with nothing before it`)
  reader.at += unit.length
  if (unit === '.') return '[^\\n]'
  if (unit === '^') return '(?:^|(?<=\\n))'
  if (unit === '$') return '(?:$|(?=\\n))'
  return ignoreCase ? foldedClass(unit) : literal(unit)
}

const groupKinds: readonly (readonly [opening: string, kind: string])[] = [
  ['(?:', '(?:'],
  ['(?=', '(?='],
  ['(?!', '(?!'],
  ['(?<=', '(?<='],
  ['(?<!', '(?<!'],
  ['(?>', 'atomic'],
  ['(?i:', 'ignoreCase'],
  ['(?-i:', 'caseSensitive'],
]

const readGroup = (reader: Reader, ignoreCase: boolean): string => {
  const known = groupKinds.find(([opening]) => reader.pattern.startsWith(opening, reader.at))
  const named = /\(\?<[A-Za-z_]\w*>/y
  named.lastIndex = reader.at
  const opening = known?.[0] ?? named.exec(reader.pattern)?.[0] ?? '('
  if (opening === '(' && reader.pattern[reader.at + 1] === '?') throw reader.unsupported('this kind of group')
  const groups = reader.groups
  reader.at += opening.length
  const kind = known?.[1] ?? '(?:'
  const body = readAlternatives(reader, kind === 'ignoreCase' || (ignoreCase && kind !== 'caseSensitive'))
  if (reader.pattern[reader.at] !== ')') throw reader.unsupported('a ( without its )')
  reader.at++
  if (kind !== 'atomic') return `${kind.startsWith('(') ? kind : '(?:'}${body})`
  if (reader.groups > groups) throw reader.unsupported('an atomic group inside another')
  return atomic(reader, body)
}

const readClass = (reader: Reader, ignoreCase: boolean): string => {
  reader.at++
  const negated = reader.pattern[reader.at] === '^'
  if (negated) reader.at++
  const operands = ['']
  let isFirst = true
  while (isFirst || reader.pattern[reader.at] !== ']') {
    if (reader.at >= reader.pattern.length) throw reader.unsupported('a [ without its ]')
    if (reader.pattern.startsWith('&&', reader.at)) {
      reader.at += 2
      operands.push('')
    } else {
      operands[operands.length - 1] += readClassItem(reader, ignoreCase)
    }
    isFirst = false
  }
  reader.at++
  const body = operands.length === 1 ? operands[0] : operands.map((operand) => `[${operand}]`).join('&&')
  return `[${negated ? '^' : ''}${body}]`
}

const readClassItem = (reader: Reader, ignoreCase: boolean): string => {
  if (reader.pattern.startsWith('[:', reader.at)) throw reader.unsupported('a POSIX class')
  if (reader.pattern[reader.at] === '[') return readClass(reader, ignoreCase)
  const first = readClassMember(reader)
  const isRange = reader.pattern[reader.at] === '-' && reader.pattern[reader.at + 1] !== ']' && reader.at + 1 < reader.pattern.length
  if (!isRange || first.codePoint === undefined) return first.codePoint !== undefined && ignoreCase ? folded(first.codePoint) : first.source
  reader.at++
  const last = readClassMember(reader)
  if (last.codePoint === undefined || last.codePoint < first.codePoint) throw reader.unsupported('this range')
  return `${first.source}-${last.source}${ignoreCase ? foldedRange(reader, first.codePoint, last.codePoint) : ''}`
}

const readClassMember = (reader: Reader): { source: string; codePoint?: number } => {
  if (reader.at >= reader.pattern.length) throw reader.unsupported('a [ without its ]')
  if (reader.pattern[reader.at] === '\\') {
    const source = readEscape(reader, false, true)
    const hex = /^\\u\{([0-9a-f]+)\}$/.exec(source)?.[1]
    return hex === undefined ? { source } : { source, codePoint: parseInt(hex, 16) }
  }
  const unit = String.fromCodePoint(reader.pattern.codePointAt(reader.at)!)
  reader.at += unit.length
  return { source: literal(unit), codePoint: unit.codePointAt(0)! }
}

/** A property without what is newer than the reference; `[ ]` for use inside and outside of classes. */
const known = (source: string): string => (engineIsNewer ? `[[${source}]--[${newerThanReference}]]` : `[${source}]`)
const unknown = (source: string): string => (engineIsNewer ? `[${source}${newerThanReference}]` : `[${source}]`)

const wordClass = known('\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}')
/** Outside of classes, and there alone, Oniguruma takes these for word characters too. */
const bareWords = '\\u{b2}\\u{b3}\\u{b9}\\u{bc}-\\u{be}'
const bareWord = `[${wordClass}${bareWords}]`
const boundary = `(?:(?<=${bareWord})(?!${bareWord})|(?<!${bareWord})(?=${bareWord}))`
const classEscapes: ReadonlyMap<string, string> = new Map([
  ['s', '\\p{White_Space}'],
  ['S', '\\P{White_Space}'],
  ['d', known('\\p{Nd}')],
  ['D', unknown('\\P{Nd}')],
  ['w', `[${wordClass}]`],
  ['W', `[^${wordClass}]`],
  ['h', '[0-9a-fA-F]'],
  ['H', '[^0-9a-fA-F]'],
])
const positionEscapes: ReadonlyMap<string, string> = new Map([
  ['b', boundary],
  ['A', '(?<![\\s\\S])'],
  ['z', '(?![\\s\\S])'],
])
const controlEscapes: ReadonlyMap<string, number> = new Map([
  ['n', 10],
  ['r', 13],
  ['t', 9],
  ['f', 12],
  ['v', 11],
  ['a', 7],
  ['e', 27],
])
const codePointEscape = /\\(?:x\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4}))/y

const readEscape = (reader: Reader, ignoreCase: boolean, inClass: boolean): string => {
  const name = reader.pattern[reader.at + 1]
  if (name === undefined) throw reader.unsupported('a \\ at the end')
  if (name === 'p' || name === 'P') return readProperty(reader)
  codePointEscape.lastIndex = reader.at
  const hex = codePointEscape.exec(reader.pattern)
  if (hex !== null) {
    reader.at += hex[0].length
    const codePoint = parseInt(hex[1] ?? hex[2] ?? hex[3] ?? hex[4] ?? '', 16)
    if (codePoint > 0x10ffff) throw reader.unsupported('a code point beyond U+10FFFF')
    return escaped(codePoint, ignoreCase)
  }
  const found = classEscapes.get(name) ?? (inClass ? undefined : positionEscapes.get(name))
  const control = controlEscapes.get(name)
  if (found === undefined && control === undefined && /[A-Za-z0-9]/.test(name)) throw reader.unsupported(`\\${name}`)
  const unit = String.fromCodePoint(reader.pattern.codePointAt(reader.at + 1)!)
  reader.at += 1 + unit.length
  if (!inClass && name === 'w') return bareWord
  if (!inClass && name === 'W') return `[^${wordClass}${bareWords}]`
  return found ?? escaped(control ?? unit.codePointAt(0)!, ignoreCase)
}

const escaped = (codePoint: number, ignoreCase: boolean): string =>
  ignoreCase ? foldedClass(String.fromCodePoint(codePoint)) : literal(String.fromCodePoint(codePoint))

const readProperty = (reader: Reader): string => {
  const property = /\\([pP])\{(\^?)([A-Za-z0-9_=]+)\}/y
  property.lastIndex = reader.at
  const [whole, letter, caret, name] = property.exec(reader.pattern) ?? []
  if (whole === undefined) throw reader.unsupported('this \\p')
  const kind = (letter === 'P') !== (caret === '^') ? 'P' : 'p'
  const source = [name, `Script=${name}`].map((found) => `\\${kind}{${found}}`).find(isValid)
  if (source === undefined || name === undefined) throw reader.unsupported(`the property ${name}`)
  reader.at += whole.length
  if (name === 'Any' || name === 'ASCII') return source
  const isUnassigned = /^(C|Cn|Other|Unassigned)$/.test(name)
  const isNegated = kind === 'P'
  if (name === 'Ll' || name === 'Lo') return isNegated ? unknown(movedLetter(source, name === 'Lo')) : known(movedLetter(source, name === 'Ll'))
  return isUnassigned === isNegated ? known(source) : unknown(source)
}

/** U+0295 was a lower case letter until Unicode 16. */
const movedLetter = (source: string, isIn: boolean): string => (isIn ? `${source}\\u{295}` : `[${source}--[\\u{295}]]`)

const isValid = (source: string): boolean => {
  try {
    return new RegExp(source, 'v').source !== ''
  } catch {
    return false
  }
}

/** Any character, safe inside and outside of classes. */
const literal = (unit: string): string =>
  /^[A-Za-z0-9]$/.test(unit) ? unit : `\\u{${unit.codePointAt(0)!.toString(16)}}`

/** All characters that simple case folding makes equal to this one. */
const folded = (codePoint: number): string => {
  const unit = String.fromCodePoint(codePoint)
  const variants = new Set([unit, unit.toLowerCase(), unit.toUpperCase()])
  const extra = new Map([['s', 'ſ'], ['k', '\u212a'], ['å', '\u212b'], ['ω', '\u2126']]).get(unit.toLowerCase())
  if (extra !== undefined) variants.add(extra)
  return [...variants].filter((variant) => [...variant].length === 1).map(literal).join('')
}

const foldedClass = (unit: string): string => `[${folded(unit.codePointAt(0)!)}]`

const foldedRange = (reader: Reader, first: number, last: number): string => {
  if (last - first > 128) throw reader.unsupported('so long a range where case is ignored')
  return Array.from({ length: last - first + 1 }, (_, i) => folded(first + i)).join('')
}
