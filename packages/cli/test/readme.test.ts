// The README's session, run in order in an empty folder.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nodeArguments } from './weft.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const blocks = [...readme.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block]) => block!)

test('the first block installs', () => {
  expect(blocks[0]).toBe('npm install @weft/cli\n')
})

test('all others run in order', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-readme-'))
  const quoted = [process.execPath, ...nodeArguments].map((part) => `'${part}'`).join(' ')
  const script = ['set -e', `weft() { ${quoted} "$@"; }`, ...blocks.slice(1)].join('\n')
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8' })
  rmSync(folder, { recursive: true, force: true })
  expect(stderr).not.toMatch(/error/)
  expect(status).toBe(0)
  expect(stdout).toContain('40 of 40 documents kept')
  expect(stdout).toContain('{"tokenIds":[')
  expect(blocks.length).toBeGreaterThan(5)
})
