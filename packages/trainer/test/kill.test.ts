// kill -9 anywhere, in the middle of a step or of a save: what is resumed equals a run that nobody touched, to the last bit.
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRandomSource } from '@weft/contracts'
import { afterAll, expect, test } from 'vitest'
import { folderStore } from '../src/node.ts'

const scratch = mkdtempSync(join(tmpdir(), 'weft-kill-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const steps = 40

/** Runs until the end, or is killed so many ms after it began to train; the lines that it printed. */
const run = (folder: string, killAfterMs: number | undefined, hang = ''): Promise<{ lines: string[]; isDone: boolean }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--conditions=@weft/source', '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'killed-run.ts'), folder, String(steps), hang], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      if (output === '' && killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs)
      output += chunk.toString()
      if (output.includes('hanging\n')) child.kill('SIGKILL')
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ lines: output.split('\n').slice(0, -1), isDone: code === 0 }))
  })

const lossesOf = (lines: readonly string[]): Map<string, string> => new Map(lines.filter((line) => /^\d/.test(line)).map((line) => line.split(' ') as [string, string]))

test('a run that is killed again and again ends with the losses of one that was not', { timeout: 90_000 }, async () => {
  const whole = lossesOf((await run(join(scratch, 'whole'), undefined)).lines)
  expect(whole.size).toBe(steps)
  const random = createRandomSource({ seed: 9 })
  const folder = join(scratch, 'killed')
  const together = new Map<string, string>()
  let kills = 0
  for (;;) {
    // Later kills come later, so that the run gets on.
    const { lines, isDone } = await run(folder, kills >= 7 ? undefined : 30 + 90 * random.nextFloat() + 25 * kills)
    for (const [step, loss] of lossesOf(lines)) {
      expect(loss, `step ${step}`).toBe(whole.get(step))
      together.set(step, loss)
    }
    if (isDone) break
    kills++
  }
  expect(kills).toBeGreaterThan(2)
  expect(together.get(String(steps))).toBe(whole.get(String(steps)))
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]) // what the kills left half written is gone
})

test.each(['step', 'save'])('killed for certain in the middle of a %s', { timeout: 60_000 }, async (hang) => {
  const folder = join(scratch, hang)
  const killed = await run(folder, undefined, hang)
  expect(killed.isDone).toBe(false)
  expect(killed.lines).toContain('hanging')
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toHaveLength(hang === 'save' ? 1 : 0)
  expect(await folderStore(folder).list()).toEqual(['step-000000004', 'step-000000008'])
  const rest = lossesOf((await run(folder, undefined)).lines)
  const whole = lossesOf((await run(join(scratch, `whole-${hang}`), undefined)).lines)
  expect([...rest]).toEqual([...whole].slice(8))
  expect(readdirSync(folder).sort()).toEqual(['step-000000036', 'step-000000040'])
})
