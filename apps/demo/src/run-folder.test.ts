import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { findRun, newRun } from './run-folder.ts'

const parent = mkdtempSync(join(tmpdir(), 'weft-runs-'))
afterAll(() => rmSync(parent, { recursive: true, force: true }))

test('a step is there once it is saved, and nothing else lies beside it', async () => {
  const run = newRun(parent, new Date('2026-01-02T03:04:05Z'))
  expect(run.path).toBe(join(parent, '2026-01-02_03-04-05'))
  expect(run.has('cleaned')).toBe(false)
  await run.save('cleaned', { kept: 3, name: 'ä' })
  expect(run.has('cleaned')).toBe(true)
  expect(run.load('cleaned')).toEqual({ kept: 3, name: 'ä' })
  expect(readdirSync(join(run.path, 'steps'))).toEqual(['cleaned.json'])
})

test('the newest run is found, or the named one by name or path', () => {
  const older = newRun(parent, new Date('2026-02-01T00:00:00Z'))
  const newer = newRun(parent, new Date('2026-03-01T00:00:00Z'))
  mkdirSync(join(parent, 'zzz-no-run'))
  expect(findRun(parent, true).path).toBe(newer.path)
  expect(findRun(parent, '2026-02-01_00-00-00').path).toBe(older.path)
  expect(findRun('elsewhere', older.path).path).toBe(older.path)
})

test('what is no run is said to be none', () => {
  expect(() => findRun(parent, 'zzz-no-run')).toThrow(/is no run of this demo/)
  expect(() => findRun(join(parent, 'nothing'), true)).toThrow(/holds no run/)
})
