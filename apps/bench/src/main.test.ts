// Each suite in small: it runs, and its JSON lines have the promised form.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const bench = (...args: string[]) =>
  spawnSync(process.execPath, ['--conditions=@weft/source', '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'main.ts'), ...args], { encoding: 'utf8' })

test.each(['gemm', 'train', 'tokenizer', 'generate', 'curation', 'size', 'start'])('%s', (suite) => {
  const { status, stdout, stderr } = bench(suite, '--quick', '--json', '--runs', '2')
  expect(status, stderr).toBe(0)
  const [machine, ...lines] = stdout.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(machine).toHaveProperty('machine.cores')
  if (suite !== 'size') expect(lines.length).toBeGreaterThan(0)
  for (const line of lines) {
    expect(Object.keys(line)).toEqual(['suite', 'case', 'subject', 'value', 'unit', 'runs'])
    expect(line['suite']).toBe(suite)
    expect(line['value']).toBeGreaterThanOrEqual(0)
  }
})

test('an unknown suite is wrong use', () => {
  const { status, stderr } = bench('gem')
  expect(status).toBe(2)
  expect(stderr).toMatch(/unknown suite gem; there are gemm/)
})
