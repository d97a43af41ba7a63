// What goes wrong, each in one line with its exit code: 1 failed, 2 wrong use. Nothing is left behind.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nodeArguments, weft as run } from './weft.ts'

const folder = mkdtempSync(join(tmpdir(), 'weft-cli-errors-'))
const weft = (args: string) => run(args === '' ? [] : args.split(' '), { cwd: folder })

beforeAll(() => {
  mkdirSync(join(folder, 'empty'))
  writeFileSync(join(folder, 'broken.json'), '{"model": {')
  writeFileSync(join(folder, 'page.txt'), 'A page of text.')
  writeFileSync(join(folder, 'bad.jsonl'), '{"prompt": "a", "completion": "b"}\n{"question": "c"}\n')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.each([
  ['model generate --modle x', /unknown option '--modle'\n\(Did you mean --model\?\)/],
  ['model generate', /required option '--model <path>' not specified/],
  ['tokenzier', /unknown command 'tokenzier'\n\(Did you mean tokenizer\?\)/],
  ['tokenizer train --vocab-size many --out t.json page.txt', /Expected an integer from 2 /],
  ['model logits --model x --ids 1,b', /Expected an integer/],
  ['model logits --model x', /either --ids or --prompt/],
  ['curate page.txt --steps polish --out c', /--steps: expected names out of .*, got polish/],
  ['train --out m', /--text/],
  ['train --resume --out m', /holds no run/],
  ['backend check --backend abacus', /expected one of native, tfjs-wasm, tfjs-cpu, reference, got abacus/],
  ['evaluate --model x --tasks spelling', /expected a task out of perplexity, stereotypes, generation, or a file/],
])('wrong use: %s', (args, message) => {
  const { code, out, err } = weft(args)
  expect(err).toMatch(message)
  expect(out).toBe('')
  expect(code).toBe(2)
})

test.each([
  ['curate empty --out c', /empty: expected files ending in/],
  ['curate nothing --out c', /nothing: .*there is no such file or folder/],
  ['tokenizer info --tokenizer broken.json', /broken\.json.*expected JSON/],
  ['tokenizer encode --tokenizer nowhere --text a', /nowhere: there is no such file/],
  ['model info --model nowhere', /nowhere/],
  ['model logits --model nowhere --ids 1', /nowhere: expected a folder/],
  ['tune --model nowhere --data bad.jsonl --out t', /bad\.jsonl, line 2: expected \{"messages"/],
  ['compare page.txt page.txt', /page\.txt: expected JSON/],
  ['train --text page.txt --vocab-size 259 --out t', /do not fill one row of 128/],
])('failure: %s', (args, message) => {
  const { code, out, err } = weft(args)
  expect(err).toMatch(message)
  expect(err.trim().split('\n')).toHaveLength(1)
  expect(err).not.toContain('unexpected error')
  expect(out).toBe('')
  expect(code).toBe(1)
  for (const name of ['c', 't']) expect(existsSync(join(folder, name))).toBe(false)
})

test('--debug prints the stack', () => {
  expect(weft('model logits --model nowhere --ids 1 --debug').err).toMatch(/\n\s+at /)
})

test('help and version', () => {
  const help = weft('--help')
  expect(help.code).toBe(0)
  for (const name of ['tokenizer', 'model', 'curate', 'audit', 'augment', 'train', 'tune', 'evaluate', 'compare', 'backend']) expect(help.out).toContain(name)
  expect(weft('train --help').out).toMatch(/Examples:\n {2}weft train/)
  expect(weft('--version').out).toMatch(/^\d+\.\d+\.\d+\n$/)
  expect(weft('').code).toBe(2)
})

test('a reader that stops early is no error', () => {
  const command = `"${process.execPath}" ${nodeArguments.join(' ')} evaluate show stereotypes --items 146 | head -n 1; echo "\${PIPESTATUS[0]}"`
  const { stdout, stderr } = spawnSync('bash', ['-c', command], { encoding: 'utf8', cwd: folder })
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^stereotypes .*\n0\n$/)
})
