// The demo as a person runs it: a child process, in small. Every promised file is there, the numbers are sane, Ctrl-C loses nothing.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRandomSource } from '@weft/contracts'
import { afterAll, describe, expect, test } from 'vitest'

const scratch = mkdtempSync(join(tmpdir(), 'weft-demo-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const node = ['--conditions=@weft/source', '--disable-warning=ExperimentalWarning', join(import.meta.dirname, '..', 'src', 'main.ts')]
const demo = (...args: string[]) => spawnSync(process.execPath, [...node, '--no-chat', ...args], { cwd: scratch, encoding: 'utf8' })
const onlyRun = (out: string): string => join(scratch, out, readdirSync(join(scratch, out))[0]!)
const step = <T>(run: string, name: string): T => JSON.parse(readFileSync(join(run, 'steps', `${name}.json`), 'utf8')) as T

const words = 'and the of that with to a in sea calm ship lamp keeper night morning stone river field bread letter winter summer road harbour bell song light wind rain storm gull sail rope tower window garden apple horse market brother sister mother father child friend stranger silver copper wool salt honey candle shadow mountain valley bridge village'.split(' ')

/** Some 9,000 characters that no rule takes for repetition. */
const story = (seed: number): string => {
  const random = createRandomSource({ seed })
  const sentence = (): string => Array.from({ length: 8 + Math.floor(random.nextFloat() * 9) }, () => words[Math.floor(random.nextFloat() ** 1.3 * words.length)]!).join(' ')
  return Array.from({ length: 130 }, () => `${['He', 'She', 'They'][Math.floor(random.nextFloat() * 3)]!} saw ${sentence()}.`).join(' ')
}

interface StepEvent {
  readonly kind: string
  readonly step: number
  readonly lossNats: number
}

describe('the whole way', () => {
  test('leaves a model, an adapter, cards, a report and a log, and the numbers are sane', { timeout: 120_000 }, () => {
    const { status, stdout, stderr } = demo('--size', 'tiny', '--out', 'whole')
    expect(status, stderr).toBe(0)
    const run = onlyRun('whole')
    for (const file of ['model/config.json', 'model/model.safetensors', 'model/tokenizer.json', 'adapter/adapter_config.json', 'adapter/adapter_model.safetensors', 'data-card.md', 'model-card.md', 'report.html', 'evaluation.json', 'log.txt']) {
      expect(existsSync(join(run, file)), file).toBe(true)
    }
    const losses = step<StepEvent[]>(run, 'trained-base').filter(({ kind }) => kind === 'step').map(({ lossNats }) => lossNats)
    expect(losses.at(-1)).toBeLessThan(losses[0]! - 0.3)
    expect(step<{ score: { recall: number } }>(run, 'cleaned').score.recall).toBeGreaterThan(0.9)
    const { before, after } = step<Record<'before' | 'after', { pronouns: { femaleShare: { value: number } } }>>(run, 'audited')
    expect(Math.abs(after.pronouns.femaleShare.value - 0.5)).toBeLessThan(Math.abs(before.pronouns.femaleShare.value - 0.5))
    expect(readFileSync(join(run, 'report.html'), 'utf8')).toMatch(/<svg/)
    expect(readFileSync(join(run, 'log.txt'), 'utf8')).toContain('9. Leave everything behind')
    expect(stdout).toContain('dropped by')
  })

  test('on a folder of one’s own texts, with what cannot be read counted', { timeout: 120_000 }, () => {
    const folder = join(scratch, 'texts')
    mkdirSync(folder)
    for (let i = 0; i < 6; i++) writeFileSync(join(folder, `story-${i}.txt`), story(i))
    writeFileSync(join(folder, 'picture.txt'), Buffer.from([1, 0, 2, 0, 255, 254]))
    const { status, stdout, stderr } = demo('--size', 'tiny', '--text', 'texts', '--out', 'own')
    expect(status, stderr).toBe(0)
    expect(stdout).toMatch(/left out: 1 × binary/)
  })
})

test('on long-winded texts: the score that needs short sentences is left out, all else goes on', { timeout: 120_000 }, () => {
  mkdirSync(join(scratch, 'long'))
  // Four sentences in one: more than 220 characters each, too long to be a choice.
  for (let i = 0; i < 6; i++) writeFileSync(join(scratch, 'long', `${i}.txt`), story(40 + i).replace(/((?:[^.]+\.){3}[^.]+\.)/g, (group) => `${group.slice(0, -1).replaceAll('.', ' and')}.`))
  const { status, stderr } = demo('--size', 'tiny', '--text', 'long', '--out', 'from-long')
  expect(status, stderr).toBe(0)
  expect(Object.keys(step<Record<string, { tasks: object }>>(onlyRun('from-long'), 'evaluated')['plain']!.tasks)).toEqual(['held-out-text', 'stereotype-suite'])
})

describe('bad input', () => {
  test.each([
    [['--text', 'nowhere'], 2, /nowhere: there is no such folder/],
    [['--resume'], 1, /holds no run/],
    [['--quik'], 2, /unknown option '--quik'/],
  ] as const)('%j', (args, expected, message) => {
    const { status, stderr } = demo(...args, '--out', 'none')
    expect(stderr).toMatch(message)
    expect(status).toBe(expected)
  })

  test('an empty folder is named', () => {
    mkdirSync(join(scratch, 'empty'))
    const { status, stderr } = demo('--size', 'tiny', '--text', 'empty', '--out', 'from-empty')
    expect(status).toBe(1)
    expect(stderr).toMatch(/empty/)
  })
})

// On a backend that is still training two seconds later.
test('Ctrl-C in the middle of training, then --resume, goes on to the end', { timeout: 180_000 }, async () => {
  const child = spawn(process.execPath, [...node, '--no-chat', '--quick', '--backend', 'tfjs-wasm', '--out', 'stopped'], { cwd: scratch, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const status = await new Promise<number | null>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      const before = output
      output += chunk.toString()
      if (!before.includes('5. Pre-train') && output.includes('5. Pre-train')) setTimeout(() => child.kill('SIGINT'), 2000)
    })
    child.on('close', resolve)
  })
  expect(output).toContain('--resume')
  expect(status).toBe(130)
  const checkpoints = join(onlyRun('stopped'), 'checkpoints', 'base')
  const saved = Number(/\d+/.exec(readdirSync(checkpoints)[0]!)![0])
  expect(saved).toBeGreaterThan(0)

  const resumed = demo('--resume', '--backend', 'tfjs-wasm', '--out', 'stopped')
  expect(resumed.status, resumed.stderr).toBe(0)
  const stepsDone = step<StepEvent[]>(onlyRun('stopped'), 'trained-base').filter(({ kind }) => kind === 'step').map((event) => event.step)
  expect(resumed.stdout).toContain(`going on after step ${saved}`)
  expect(stepsDone).toEqual(stepsDone.map((_, i) => i + 1)) // not a step was done twice, none left out
  expect(existsSync(join(onlyRun('stopped'), 'report.html'))).toBe(true)
})
