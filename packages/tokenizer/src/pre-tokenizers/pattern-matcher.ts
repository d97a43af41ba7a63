// The matcher of a pattern that has no hand-written scanner. The engine's own regular expressions are fast, and can backtrack for ever:
// patterns that repeat what can be matched in several ways, and texts with a very long run of what a pattern repeats, go to the matcher that counts its steps.
import type { CodePointSet } from '../text/code-point-set.ts'
import { codePointAt } from '../text/code-point-set.ts'
import { countedMatcher } from './counted-matcher.ts'
import { regexMatcher, type Matcher } from './matcher.ts'
import { compilePattern } from './pattern-syntax.ts'
import { eachNode, parsePattern } from './pattern-tree.ts'

const longRun = 10_000 // the square of it is still done in a blink

/** @throws UnsupportedError for syntax that is not known here; so does the matcher where it takes too many steps. */
export const patternMatcher = (pattern: string, where: string): Matcher => {
  const regex = compilePattern(pattern, where)
  const tree = parsePattern(regex.source)
  const repeated: CodePointSet[] = []
  let isNested = false
  eachNode(tree, (node, loops) => {
    if ((node.kind === 'repeat' || node.kind === 'either') && loops > 0) isNested = true
    if (node.kind === 'set' && loops > 0) repeated.push(node.set)
  })
  let counted: Matcher | undefined
  const withCount: Matcher = (text) => (counted ??= countedMatcher(tree, `${where}: the pattern ${JSON.stringify(pattern)}`))(text)
  if (isNested) return withCount
  const plain = regexMatcher(regex)
  return (text) => (text.length > longRun && repeated.some((set) => hasLongRun(text, set)) ? withCount(text) : plain(text))
}

const hasLongRun = (text: string, set: CodePointSet): boolean => {
  let start = 0
  for (let at = 0; at < text.length; ) {
    const codePoint = codePointAt(text, at)
    at += codePoint > 0xffff ? 2 : 1
    if (!set.has(codePoint)) start = at
    else if (at - start > longRun) return true
  }
  return false
}
