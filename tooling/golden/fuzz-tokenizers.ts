// Random pipelines and strings through Hugging Face tokenizers (Python; pip install tokenizers) and through @weft/tokenizer: ids, token
// strings, offsets, words, types, masks, decoded text, pairs, truncation and padding must be equal.
// node --conditions=@weft/source tooling/golden/fuzz-tokenizers.ts [--strings 100000] [--seed 1] [--charsmap FILE] [--write FILE]
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { decodeStream, tokenizerFromJson, tokenizerToJson } from '../../packages/tokenizer/src/index.ts'
import { encodeBatch } from '../../packages/tokenizer/src/encoding/index.ts'
import { randomPipeline, type Json } from './random-pipeline.ts'
import { createRandom, randomText } from './random-text.ts'

const { values } = parseArgs({
  options: { strings: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' }, charsmap: { type: 'string' }, write: { type: 'string' } },
})

const script = `
import json, sys
from tokenizers import Tokenizer
def row(t, e):
    r = [e.ids, e.tokens, [x for o in e.offsets for x in o], e.type_ids, [-1 if w is None else w for w in e.word_ids],
         e.special_tokens_mask, e.attention_mask, [row(t, o) for o in e.overflowing]]
    return r
for line in sys.stdin:
    case = json.loads(line)
    out = []
    try:
        t = Tokenizer.from_str(case["json"])
    except Exception as x:
        print(json.dumps({"load": str(x)}), flush=True)
        continue
    if case["truncation"]: t.enable_truncation(**case["truncation"])
    if case["padding"]: t.enable_padding(**case["padding"])
    for s in case["inputs"]:
        try:
            e = t.encode(s) if isinstance(s, str) else t.encode(s[0], s[1])
            d = [None, None]
            for k in (0, 1):
                try: d[k] = t.decode(e.ids, skip_special_tokens=k == 1)
                except BaseException as x: d[k] = {"error": str(x)}
            out.append([row(t, e), d[0], d[1]])
        except BaseException as x:
            out.append({"error": str(x)})
    print(json.dumps({"rows": out}), flush=True)
`

type Row = [number[], string[], number[], number[], number[], number[], number[], Row[]]
type Answer = [Row, string | { error: string }, string | { error: string }] | { error: string }

const startPython = () => {
  const child = spawn(process.env['WEFT_PYTHON'] ?? 'python3', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    ask: async (question: unknown): Promise<{ load?: string; rows?: Answer[] }> => {
      child.stdin.write(`${JSON.stringify(question)}\n`)
      const { value, done } = await lines.next()
      if (done === true) throw new Error(`Python ended at ${JSON.stringify(question).replace(/"vocab\\\\.*?\\}/g, '').slice(0, 3000)}`)
      return JSON.parse(value) as { load?: string; rows?: Answer[] }
    },
    end: () => child.stdin.end(),
  }
}

// Which text a token came from is told better here: the reference knows it only where a post-processor says it
const names = ['ids', 'tokens', 'offsets', 'typeIds', 'wordIds', 'special', 'attention'] as const

/** Behind a character that has no token and no unknown one the reference counts wrongly. */
let hasTrueOffsets = true

const compareRow = (encoding: ReturnType<typeof encodeBatch>[number], row: Row, note: (what: string, ours: unknown, theirs: unknown) => void, at = ''): void => {
  const ours = [
    [...encoding.tokenIds], encoding.tokens, [...encoding.codePointOffsets], [...encoding.typeIds], [...encoding.wordIds],
    [...encoding.specialTokensMask], [...encoding.attentionMask],
  ]
  names.forEach((name, i) => {
    if (name === 'offsets' && !hasTrueOffsets) return
    if (JSON.stringify(ours[i]) !== JSON.stringify(row[i])) note(at + name, ours[i], row[i])
  })
  if (encoding.overflowing.length !== row[7].length) note(`${at}overflowing`, encoding.overflowing.length, row[7].length)
  else encoding.overflowing.forEach((part, i) => compareRow(part, row[7][i]!, note, `${at}overflow `))
}

const random = createRandom(Number(values.seed))
const charsMap = values.charsmap === undefined ? '' : readFileSync(values.charsmap, 'utf8').trim()
const python = startPython()
const counts = new Map<string, number>()
const kept: unknown[] = []
let strings = 0
let pipelines = 0
let refused = 0
const limits = (): { truncation: Record<string, Json> | null; padding: Record<string, Json> | null } => ({
  truncation: random.chance(0.2)
    ? { max_length: 6 + random.below(12), stride: random.below(3), strategy: random.pick(['longest_first', 'only_first']), direction: random.pick(['left', 'right']) }
    : null,
  padding: random.chance(0.2)
    ? { direction: random.pick(['left', 'right']), pad_id: 1, pad_type_id: random.below(3), pad_token: '<s>', length: random.pick([null, 12]), pad_to_multiple_of: random.pick([null, 8]) }
    : null,
})

while (strings < Number(values.strings)) {
  const json = randomPipeline(random, charsMap)
  const modelJson = json['model'] as Record<string, Json>
  hasTrueOffsets = modelJson['type'] !== 'BPE' || modelJson['unk_token'] !== null
  const inputs = Array.from({ length: values.write === undefined ? 200 : 12 }, () => (random.chance(0.1) ? [randomText(random), randomText(random)] as const : randomText(random)))
  const { truncation, padding } = limits()
  const answer = await python.ask({ json: JSON.stringify(json), inputs, truncation, padding })
  pipelines++
  strings += inputs.length
  if (answer.load !== undefined) {
    refused++
    try {
      tokenizerFromJson(JSON.stringify(json))
    } catch {
      continue
    }
    console.log('only the reference refuses', answer.load)
    continue
  }
  const show = (what: string, input: unknown, ours: unknown, theirs: unknown): void => {
    counts.set(what, (counts.get(what) ?? 0) + 1)
    if (counts.get(what)! > 1) return
    const { model, added_tokens: addedTokens, ...rest } = json
    const { vocab: _, merges: __, ...modelRest } = model as Record<string, Json>
    console.log(`${what}\n  added  ${JSON.stringify((addedTokens as { content: string }[]).map(({ content }) => content))}\n  text   ${JSON.stringify(input)}\n  ours   ${JSON.stringify(ours)}\n  theirs ${JSON.stringify(theirs)}\n  ${JSON.stringify({ ...rest, model: modelRest, truncation, padding })}`)
  }
  let tokenizer
  try {
    tokenizer = tokenizerFromJson(JSON.stringify(json))
  } catch (error) {
    show('load', '', String(error), 'loads')
    continue
  }
  const again = tokenizerFromJson(JSON.stringify(tokenizerToJson(tokenizer)))
  if (values.write !== undefined) kept.push({ json, inputs, truncation, padding, rows: answer.rows })
  answer.rows!.forEach((theirs, i) => {
    const input = inputs[i]!
    const note = (what: string, ours: unknown, expected: unknown) => show(what, input, ours, expected)
    try {
      const options = {
        ...(truncation === null ? {} : { truncation: { maxLength: truncation['max_length'] as number, stride: truncation['stride'] as number, strategy: truncation['strategy'] === 'longest_first' ? 'longestFirst' : 'onlyFirst', direction: truncation['direction'] as 'left' } as const }),
        ...(padding === null
          ? {}
          : {
              padding: {
                id: 1, token: '<s>', direction: padding['direction'] as 'left', typeId: padding['pad_type_id'] as number,
                ...(padding['length'] === null ? {} : { length: padding['length'] as number }), ...(padding['pad_to_multiple_of'] === null ? {} : { toMultipleOf: 8 }),
              },
            }),
      }
      const [encoding] = encodeBatch(tokenizer, [input as string], options)
      if ('error' in theirs) return theirs.error.includes('bad split') ? undefined : note('error', encoding!.tokens, theirs.error) // it panics where stripped spaces overlap
      const [row, decoded, skipped] = theirs
      compareRow(encoding!, row, note)
      if (typeof input === 'string' && truncation === null && padding === null) {
        for (const [name, one] of [['fast', tokenizer], ['again', again]] as const) {
          if (JSON.stringify([...one.encode(input)]) !== JSON.stringify(row[0])) note(name, [...one.encode(input)], row[0])
        }
      }
      if (typeof decoded !== 'string' || typeof skipped !== 'string') return
      const ours = tokenizer.decode(row[0])
      if (ours !== decoded) note('decoded', ours, decoded)
      if (tokenizer.decode(row[0], { skipSpecialTokens: true }) !== skipped) note('skipped', tokenizer.decode(row[0], { skipSpecialTokens: true }), skipped)
      const stream = decodeStream(tokenizer)
      const streamed = row[0].map((id) => stream.push(id)).join('') + stream.flush()
      if (streamed !== ours) note('streamed', streamed, ours)
    } catch (error) {
      if (!('error' in theirs)) note('throws', String(error), theirs[0][1])
    }
  })
}
python.end()
console.log(`${strings} strings, ${pipelines} pipelines (${refused} refused by both), differences: ${counts.size === 0 ? 'none' : JSON.stringify(Object.fromEntries(counts))}`)
if (values.write !== undefined) writeFileSync(values.write, gzipSync(JSON.stringify(kept)))
