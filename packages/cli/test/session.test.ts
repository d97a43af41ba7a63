// A session from text to scores, each command a process, on one tiny corpus. The steps build on one another, so they share a folder.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startWeft, weft as run } from './weft.ts'

const folder = mkdtempSync(join(tmpdir(), 'weft-cli-'))
const at = (...parts: string[]): string => join(folder, ...parts)
const weft = (args: string, input = '') => run(args.split(' '), { cwd: folder, input })

const succeed = (args: string, input = ''): string => {
  const { code, out, err } = weft(args, input)
  expect(err).not.toMatch(/error/)
  expect(code).toBe(0)
  return out
}

/** The one line of JSON, with nothing beside it. */
const json = <T>(args: string, input = ''): T => {
  const { code, out, err } = weft(`${args} --json`, input)
  expect(err).toBe('')
  expect(code).toBe(0)
  return JSON.parse(out) as T
}

const records = (path: string): Record<string, unknown>[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

beforeAll(() => {
  mkdirSync(at('texts'))
  for (let i = 0; i < 30; i++) writeFileSync(at('texts', `${i}.txt`), `The river number ${i} rose in the night. She was a nurse and he was a doctor, and they went up the hill. Write to ann${i}@rivertown.org for help.`)
  writeFileSync(at('texts', 'copy.txt'), readFileSync(at('texts', '3.txt')))
  const line = (i: number): string => JSON.stringify({ prompt: `Who was there in ${i}?`, completion: 'A nurse.' })
  writeFileSync(at('conversations.jsonl'), Array.from({ length: 8 }, (_, i) => line(i)).join('\n'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('curate keeps, drops and redacts, with a decision for every document', () => {
  const summary = json<{ documents: number; kept: { documents: number } }>('curate texts --steps exact-deduplicate,redact-personal-data --out corpus')
  expect(summary.documents).toBe(31)
  expect(summary.kept.documents).toBe(30)
  const kept = records(at('corpus', 'kept.jsonl'))
  expect(kept).toHaveLength(30)
  for (const { text } of kept) expect(text).not.toContain('rivertown.org')
  const decisions = records(at('corpus', 'decisions.jsonl'))
  expect(decisions).toHaveLength(31)
  expect(decisions.filter(({ kept }) => kept === false)).toEqual([expect.objectContaining({ step: expect.any(String), rule: 'exact_duplicate' })])
  expect(readFileSync(at('corpus', 'report.html'), 'utf8')).toMatch(/^<!doctype html>/)
  expect(JSON.parse(readFileSync(at('corpus', 'report.json'), 'utf8'))).toEqual(summary)
})

test('a curated folder is read as its kept documents alone; audit and augment', () => {
  expect(json<{ documents: number }>('audit corpus --out audit').documents).toBe(30)
  expect(readdirSync(at('audit')).sort()).toEqual(['report.html', 'report.json', 'report.md'])
  expect(json('augment corpus --out balanced.jsonl')).toEqual({ documents: 60, swapped: 30, file: 'balanced.jsonl' })
  expect(String(records(at('balanced.jsonl'))[1]!['text'])).toContain('He was a nurse and she was a doctor')
})

test('tokenizer train, encode, decode, info', () => {
  const trained = json<{ vocabSize: number; textCount: number }>('tokenizer train --vocab-size 300 --out tokenizer.json corpus')
  expect(trained).toMatchObject({ vocabSize: 300, textCount: 30 })
  const text = 'The river 😀\n<|endoftext|>'
  const ids = succeed('tokenizer encode --tokenizer tokenizer.json', text)
  expect(ids).toMatch(/^\d+( \d+)* 0\n$/)
  expect(succeed('tokenizer decode --tokenizer tokenizer.json', ids)).toBe(text)
  expect(succeed('tokenizer decode --tokenizer tokenizer.json --no-special', ids)).toBe('The river 😀\n')
  const plain = json<{ tokenIds: number[] }>('tokenizer encode --tokenizer tokenizer.json --no-special --plain', text).tokenIds
  expect(plain).not.toContain(0)
  expect(succeed(`tokenizer decode --tokenizer tokenizer.json ${plain.join(' ')}`)).toBe(text)
  const info = json<Record<string, unknown>>('tokenizer info --tokenizer tokenizer.json --text corpus')
  expect(info).toMatchObject({ vocabSize: 300, specialTokens: { '<|endoftext|>': 0, '<|im_start|>': 1, '<|im_end|>': 2 } })
  expect(info['bytesPerToken']).toBeGreaterThan(1)
})

test('tokenizers of every kind are trained, opened and compared; a report with what languages cost', () => {
  json('tokenizer train --algorithm wordpiece --vocab-size 60 --out pieces.json corpus')
  json('tokenizer train --algorithm unigram --vocab-size 60 --out unigram.json corpus')
  expect(json('tokenizer train --alphabet characters --vocab-size 300 --out characters.model corpus')).toMatchObject({ vocabSize: 300 })
  const text = 'The river runs.'
  for (const file of ['unigram.json', 'characters.model']) {
    expect(succeed(`tokenizer decode --tokenizer ${file}`, succeed(`tokenizer encode --no-special --tokenizer ${file}`, text))).toBe(text)
  }
  const compared = json<{ tokenizers: { tokens: number; boundaries: number[] }[] }>('tokenizer compare tokenizer.json characters.model', text)
  expect(compared.tokenizers.map(({ boundaries, tokens }) => boundaries.length < tokens)).toEqual([true, true])
  const picture = succeed('tokenizer compare tokenizer.json characters.model --no-color', text)
  expect(picture.split('\n').filter((line) => line.replaceAll('│', '') === text)).toHaveLength(2)
  expect(succeed('tokenizer compare tokenizer.json tokenizer.json --color', text)).toContain('\u001b[30;48;5;')
  writeFileSync(at('deu-eng.jsonl'), '{"src": "Der Fluss fließt.", "eng": "The river flows."}\n')
  const info = json<{ fairness: { languages: { language: string; premium: number }[] } }>('tokenizer info --tokenizer tokenizer.json --text corpus --parallel deu-eng.jsonl --report tokenizer-report')
  expect(info.fairness.languages[0]!.language).toBe('deu')
  expect(info.fairness.languages[0]!.premium).toBeGreaterThan(1)
  expect(readdirSync(at('tokenizer-report')).sort()).toEqual(['report.html', 'report.json', 'report.md'])
})

test('train writes a model that info, logits and generate open', () => {
  const trained = json<{ steps: number; lossNats: number; validationLossNats: number }>('train --text corpus --tokenizer tokenizer.json --preset nano --steps 20 --out model')
  expect(trained.steps).toBe(20)
  expect(trained.lossNats).toBeLessThan(Math.log(300))
  expect(trained.validationLossNats).toBeLessThan(Math.log(300))
  expect(readdirSync(at('model')).sort()).toEqual(expect.arrayContaining(['config.json', 'model.safetensors', 'report.html', 'run.json', 'tokenizer.json']))
  expect(json('model info --model model')).toMatchObject({ config: { vocabSize: 300, numLayers: 2 }, parameters: expect.any(Number) })
  const { logits } = json<{ logits: number[] }>('model logits --model model --ids 5,6,7')
  expect(logits).toHaveLength(300)
  // Another backend, the same numbers.
  const other = json<{ logits: number[] }>('model logits --model model --ids 5,6,7 --backend reference').logits
  for (const [id, value] of logits.entries()) expect(Math.abs(value - other[id]!)).toBeLessThan(1e-4)
})

test('generate prints the continuation alone, the same text as --json says', () => {
  const out = succeed('model generate --model model --max-new-tokens 8 --temperature 0', 'The river')
  const { text, usage, reason } = json<{ text: string; usage: object; reason: string }>('model generate --model model --max-new-tokens 8 --temperature 0', 'The river')
  expect(out).toBe(text)
  expect(out).not.toContain('The river')
  expect({ usage, reason }).toEqual({ usage: { promptTokens: expect.any(Number), newTokens: 8 }, reason: 'length' })
  // A checkpoint opens as a model too.
  expect(succeed('model generate --model model/checkpoints/step-000000020 --max-new-tokens 8 --temperature 0', 'The river')).toBe(text)
})

test('tune writes an adapter that chats; merged it says the same', () => {
  expect(json('tune --model model --data conversations.jsonl --steps 10 --out assistant --merge')).toMatchObject({ steps: 10, method: 'lora', out: 'assistant' })
  const ask = (model: string) => json<{ role: string; content: string }>(`model chat --model ${model} --max-new-tokens 6 --temperature 0`, 'Who was there in 2?\n')
  const answer = ask('assistant')
  expect(answer.role).toBe('assistant')
  expect(ask('assistant/merged')).toEqual(answer)
  expect(json('tune --model model --data conversations.jsonl --steps 3 --method full --out full')).toMatchObject({ steps: 3, method: 'full' })
})

test('evaluate, list, show, compare', () => {
  const task = { kind: 'multipleChoice', name: 'own', items: [{ context: 'The river', choices: ['rose', 'doctor'], answer: 0 }] }
  writeFileSync(at('own.json'), JSON.stringify(task))
  const report = json<{ format: string; tasks: Record<string, { numItems: number }> }>('evaluate --model model --text texts --tasks perplexity,stereotypes,own.json --limit 6 --out before')
  expect(report.format).toBe('weft-evaluation-1')
  expect(Object.entries(report.tasks).map(([name, { numItems }]) => [name, numItems])).toEqual([['perplexity', 6], ['stereotypes', 6], ['own', 1]])
  succeed('evaluate run --model full --text texts --limit 6 --out after')
  expect(json('compare before after')).toMatchObject({ format: 'weft-comparison-1', tasks: { perplexity: { numShared: 6 } }, onlyInA: ['stereotypes', 'own'] })
  expect(json<{ tasks: { name: string }[] }>('evaluate list').tasks.map(({ name }) => name)).toEqual(['perplexity', 'stereotypes', 'generation'])
  expect(json('evaluate show stereotypes --items 2')).toMatchObject({ numItems: 146, items: [{}, {}] })
  expect(succeed('evaluate show before')).toMatch(/^# Evaluation of model/)
})

test('backend list and check', () => {
  expect(json<{ backends: { name: string; works: boolean }[] }>('backend list').backends).toEqual([
    expect.objectContaining({ name: 'native' }), // works where there is a compiler
    expect.objectContaining({ name: 'tfjs-wasm', works: true }),
    expect.objectContaining({ name: 'tfjs-cpu', works: true }),
    expect.objectContaining({ name: 'reference', works: true }),
  ])
  const { cases, failures, operations } = json<{ cases: number; failures: unknown[]; operations: { op: string }[] }>('backend check --backend tfjs-wasm --filter values/softmax')
  expect(cases).toBeGreaterThan(0)
  expect(failures).toEqual([])
  expect(operations.map(({ op }) => op)).toContain('matMul')
})

test('Ctrl-C while training saves; --resume ends where a run without it ends, to the last bit', async () => {
  const settings = '--text corpus --tokenizer tokenizer.json --preset nano --steps 80 --save-every 30'
  succeed(`train ${settings} --out whole`)
  const child = startWeft(`train ${settings} --out broken`.split(' '), folder)
  let err = ''
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  await expect.poll(() => existsSync(at('broken', 'checkpoints', 'step-000000030')), { timeout: 20_000, interval: 5 }).toBe(true)
  child.kill('SIGINT')
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(130)
  expect(err).toMatch(/saved at step \d+ of 80; go on with: weft train --resume --out broken/)
  expect(existsSync(at('broken', 'model.safetensors'))).toBe(false)
  expect(json('train --resume --out broken')).toMatchObject({ steps: 80 })
  expect(readFileSync(at('broken', 'model.safetensors')).equals(readFileSync(at('whole', 'model.safetensors')))).toBe(true)
  expect(weft('train --resume --out broken --steps 7')).toMatchObject({ code: 2, err: expect.stringContaining('this run has --steps 80, not 7') })
  expect(weft('train --out whole --text corpus --vocab-size 300')).toMatchObject({ code: 2, err: expect.stringContaining('holds a run already') })
})
