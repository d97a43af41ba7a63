// The regular expressions that `compilePattern` writes, read back into a tree: sets of characters, sequences, alternatives, repetitions,
// look-arounds, the capture and back reference of an atomic group, the ends of the text.
import { codePointSet, type CodePointSet } from '../text/code-point-set.ts'

export type PatternNode =
  | { readonly kind: 'set'; readonly set: CodePointSet }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'either'; readonly options: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly body: PatternNode; readonly min: number; readonly max: number; readonly lazy: boolean }
  | { readonly kind: 'look'; readonly body: PatternNode; readonly behind: boolean; readonly negative: boolean }
  | { readonly kind: 'capture'; readonly body: PatternNode; readonly index: number }
  | { readonly kind: 'same'; readonly index: number }
  | { readonly kind: 'end'; readonly atStart: boolean }

export const parsePattern = (source: string): PatternNode => {
  let at = 0
  let captures = 0
  const takes = (text: string): boolean => {
    if (!source.startsWith(text, at)) return false
    at += text.length
    return true
  }
  const readEither = (): PatternNode => {
    const options: PatternNode[] = []
    do {
      const parts: PatternNode[] = []
      while (at < source.length && source[at] !== '|' && source[at] !== ')') parts.push(readRepeat())
      options.push(parts.length === 1 ? parts[0]! : { kind: 'sequence', parts })
    } while (takes('|'))
    return options.length === 1 ? options[0]! : { kind: 'either', options }
  }
  const readRepeat = (): PatternNode => {
    const body = readAtom()
    const quantifier = /[*+?]|\{(\d+)(?:(,)(\d*))?\}/y
    quantifier.lastIndex = at
    const found = quantifier.exec(source)
    if (found === null) return body
    at += found[0].length
    const [sign, low, comma, high] = found
    const min = low === undefined ? (sign === '+' ? 1 : 0) : Number(low)
    const max = low === undefined ? (sign === '?' ? 1 : Infinity) : comma === undefined ? min : high === '' ? Infinity : Number(high)
    return { kind: 'repeat', body, min, max, lazy: takes('?') }
  }
  const readGroup = (make: (body: PatternNode) => PatternNode): PatternNode => {
    const node = make(readEither())
    at++ // the )
    return node
  }
  const look = (behind: boolean, negative: boolean) => (): PatternNode => readGroup((body) => ({ kind: 'look', body, behind, negative }))
  const groups: readonly (readonly [string, () => PatternNode])[] = [
    ['(?:', () => readGroup((body) => body)],
    ['(?=', look(false, false)],
    ['(?!', look(false, true)],
    ['(?<=', look(true, false)],
    ['(?<!', look(true, true)],
    ['(', () => {
      const index = ++captures
      return readGroup((body) => ({ kind: 'capture', body, index }))
    }],
    ['^', () => ({ kind: 'end', atStart: true })],
    ['$', () => ({ kind: 'end', atStart: false })],
  ]
  const readAtom = (): PatternNode => {
    for (const [opening, read] of groups) if (takes(opening)) return read()
    const same = /\\(\d+)/y
    same.lastIndex = at
    const index = same.exec(source)
    if (index !== null) {
      at += index[0].length
      return { kind: 'same', index: Number(index[1]) }
    }
    const start = at
    at = endOfSet(source, at)
    return { kind: 'set', set: codePointSet(new RegExp(`^${source.slice(start, at)}$`, 'v')) }
  }
  return readEither()
}

/** Where the class, the escape or the character at `at` ends. */
const endOfSet = (source: string, at: number): number => {
  const escape = /\\(?:[pPu]\{[^}]*\}|.)/sy
  if (source[at] !== '[') {
    escape.lastIndex = at
    return at + (escape.exec(source)?.[0].length ?? String.fromCodePoint(source.codePointAt(at)!).length)
  }
  let depth = 0
  do {
    escape.lastIndex = at
    const escaped = escape.exec(source)?.[0]
    if (source[at] === '[') depth++
    if (source[at] === ']') depth--
    at += escaped?.length ?? 1
  } while (depth > 0 && at < source.length)
  return at
}

/** All nodes of a tree with the repetitions without limit around each. */
export const eachNode = (node: PatternNode, visit: (node: PatternNode, loops: number) => void, loops = 0): void => {
  visit(node, loops)
  if (node.kind === 'sequence') node.parts.forEach((part) => eachNode(part, visit, loops))
  else if (node.kind === 'either') node.options.forEach((option) => eachNode(option, visit, loops))
  else if (node.kind === 'repeat') eachNode(node.body, visit, loops + (node.max === Infinity ? 1 : 0))
  else if (node.kind === 'look' || node.kind === 'capture') eachNode(node.body, visit, loops)
}
