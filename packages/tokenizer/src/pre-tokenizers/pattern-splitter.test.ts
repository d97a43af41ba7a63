import { expect, test } from 'vitest'
import { regexMatcher } from './matcher.ts'
import { patternSplitter } from './pattern-splitter.ts'
import type { SplitBehavior } from './stretches.ts'
import { createPieceList, pushPiece } from './pieces.ts'

const split = (text: string, behavior: SplitBehavior, invert: boolean): string[] => {
  const bytes = new TextEncoder().encode(text)
  const input = createPieceList()
  const output = createPieceList()
  pushPiece(input, 0, bytes.length)
  patternSplitter(regexMatcher(/-/gu), behavior, invert)(text, bytes, input, output)
  return Array.from({ length: output.count }, (_, i) => new TextDecoder().decode(bytes.subarray(output.spans[i * 2], output.spans[i * 2 + 1])))
}

// The examples of the documentation of huggingface/tokenizers.
test.each<[SplitBehavior, string[]]>([
  ['Removed', ['thé', 'final', 'countdown']],
  ['Isolated', ['thé', '-', 'final', '-', '-', 'countdown']],
  ['MergedWithPrevious', ['thé-', 'final-', '-', 'countdown']],
  ['MergedWithNext', ['thé', '-final', '-', '-countdown']],
  ['Contiguous', ['thé', '-', 'final', '--', 'countdown']],
])('%s', (behavior, pieces) => {
  expect(split('thé-final--countdown', behavior, false)).toEqual(pieces)
})

test('inverted, the matches are what is kept', () => {
  expect(split('😀-b--', 'Removed', true)).toEqual(['-', '-', '-'])
})

test('each piece is matched on its own, at its own place in the text', () => {
  const text = 'é1-2'
  const bytes = new TextEncoder().encode(text)
  const input = createPieceList()
  const output = createPieceList()
  pushPiece(input, 0, 3)
  pushPiece(input, 3, 5)
  patternSplitter(regexMatcher(/^./gu), 'Isolated', false)(text, bytes, input, output)
  expect(Array.from(output.spans.subarray(0, output.count * 2))).toEqual([0, 2, 2, 3, 3, 4, 4, 5])
})
