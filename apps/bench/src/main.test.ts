// Each suite in small: it runs, and its JSON lines have the promised form. Wrong use is told before anything is measured.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const run = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  spawnSync(process.execPath, ['--conditions=@weft/source', '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'main.ts'), ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  })
const bench = (...args: string[]) => run(args)

const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-bench-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test.each(['gemm', 'attention', 'train', 'precision', 'tokenizer', 'generate', 'curation', 'size', 'start'])('%s', (suite) => {
  const { status, stdout, stderr } = bench(suite, '--quick', '--json', '--runs', '2')
  expect(status, stderr).toBe(0)
  const [machine, ...lines] = stdout.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(machine).toHaveProperty('machine.cores')
  if (suite !== 'size') expect(lines.length).toBeGreaterThan(0)
  for (const line of lines) {
    expect(line['suite']).toBe(suite)
    if ('curve' in line) {
      expect(Object.keys(line)).toEqual(['suite', 'curve', 'plot', 'points'])
      continue
    }
    expect(Object.keys(line).filter((key) => key !== 'id' && key !== 'share')).toEqual(['suite', 'case', 'subject', 'value', 'unit', 'runs'])
    expect(line['value']).toBeGreaterThanOrEqual(0)
  }
}, 60_000)

test.each([
  [['gem'], /unknown suite gem; there are gemm/],
  [['gemm', '--threads', '0'], /--threads .*expected an integer ≥ 1/],
  [['gemm', '--threads', '1e9'], /--threads .*expected at most 1024/],
  [['gemm', '--runs', '2.5'], /--runs .*expected an integer ≥ 1/],
  [['gemm', '--fast'], /unknown option '--fast'/],
  [['peers', 'torhc'], /unknown peer torhc; there are torch/],
  [['report'], /missing required argument 'folder'/],
  [['report', '/nowhere'], /\/nowhere: expected a results\.json, there is none/],
] as const)('wrong use: %j', (args, message) => {
  const { status, stdout, stderr } = bench(...args)
  expect(status).toBe(2)
  expect(stderr).toMatch(message)
  expect(stdout).toBe('')
})

test('a report folder that is a file, or holds something else, is refused before measuring', () => {
  const folder = temporaryFolder()
  const file = join(folder, 'results.json')
  writeFileSync(file, 'mine')
  for (const [path, message] of [[file, /EEXIST|ENOTDIR/], [folder, /results\.json: expected JSON/]] as const) {
    const { status, stdout, stderr } = bench('size', '--report', path)
    expect(status).toBe(2)
    expect(stderr).toMatch(message)
    expect(stdout).toBe('')
  }
  expect(readFileSync(file, 'utf8')).toBe('mine')
})

test('a report grows suite by suite and can be drawn again', () => {
  const folder = join(temporaryFolder(), 'report')
  expect(bench('gemm', '--quick', '--runs', '2', '--report', folder).status).toBe(0)
  expect(bench('generate', '--quick', '--runs', '2', '--report', folder).status).toBe(0)
  const page = readFileSync(join(folder, 'report.html'), 'utf8')
  expect(page).toMatch(/<h2>gemm<\/h2>[^]*<h2>generate<\/h2>/)
  const markdown = readFileSync(join(folder, 'report.md'), 'utf8')
  const images = [...markdown.matchAll(/\]\((figures\/[^)]+)\)/g)].map(([, path]) => path!)
  expect(images.length).toBeGreaterThan(1)
  for (const image of images) expect(existsSync(join(folder, image)), image).toBe(true)
  rmSync(join(folder, 'report.html'))
  const { status, stdout } = bench('report', folder)
  expect([status, stdout.trim()]).toEqual([0, join(folder, 'report.html')])
  expect(readFileSync(join(folder, 'report.html'), 'utf8')).toBe(page)
}, 60_000)

test('peers that are absent are named with the way to get them, and nothing fails', () => {
  const { status, stdout } = run(['train', '--quick', '--runs', '1', '--peers'], { WEFT_PEERS: temporaryFolder(), WEFT_PYTHON: '/nowhere/python' })
  expect(status).toBe(0)
  expect(stdout).toMatch(/skipped: torch \(Python\) is not installed; `npm run bench -- peers` installs/)
  expect(stdout).toMatch(/skipped: llm\.c is not installed; `npm run bench -- peers llm\.c` fetches/)
}, 60_000)

test('what installing a peer takes is said, and nothing is installed by looking', () => {
  const folder = temporaryFolder()
  const { status, stdout } = run(['peers', '--check'], { WEFT_PEERS: join(folder, 'peers'), PATH: folder, WEFT_PYTHON: '' })
  expect(status).toBe(3)
  expect(stdout).toMatch(/torch: skipped, it needs Python 3\.10 or newer with venv \(Debian: apt install/)
  expect(stdout).toMatch(/llm\.c: skipped, it needs .*git \(Debian: apt install git\)/)
  expect(existsSync(join(folder, 'peers'))).toBe(false)
})
