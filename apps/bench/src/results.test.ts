import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { describeMachine } from './machine.ts'
import { mergeResults, readResults, saveResults, type SuiteResult } from './results.ts'

const result = (suite: string, threads = 2): SuiteResult => ({
  suite,
  about: 'something',
  machine: describeMachine(),
  threads,
  startedAt: '2026-01-01T00:00:00.000Z',
  isQuick: true,
  peaks: [],
  measurements: [],
  curves: [],
  notes: [],
})

const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'weft-bench-test-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

test('a suite measured again replaces itself in its place, all others stay', () => {
  const merged = mergeResults([result('gemm', 1), result('train', 1)], [result('size', 2), result('gemm', 2)])
  expect(merged.map(({ suite, threads }) => [suite, threads])).toEqual([['gemm', 2], ['train', 1], ['size', 2]])
})

test('what is saved is read again', () => {
  const path = join(folder(), 'deeper', 'report')
  saveResults(path, [result('gemm')])
  expect(readResults(path)).toEqual([result('gemm')])
  expect(readFileSync(join(path, 'results.json'), 'utf8').endsWith('\n')).toBe(true)
})

test('no file: nothing yet', () => expect(readResults(folder())).toEqual([]))

test.each(['not JSON', '[]', 'null', '{"version": 2, "suites": []}', '{"version": 1, "suites": [{"suite": "gemm"}]}'])('a file of something else is refused by name: %s', (content) => {
  const path = folder()
  writeFileSync(join(path, 'results.json'), content)
  expect(() => readResults(path)).toThrow(/results\.json: expected .*remove it to start anew/)
})
