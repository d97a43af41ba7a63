// Trains a small vocabulary on a few lines, writes it as tokenizer.json and opens it again.
//   node --conditions=@weft/source examples/train-and-reload.ts
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tokenizerFromJson, tokenizerToJson, trainTokenizer } from '@weft/tokenizer'

const lines = [
  'She sells sea shells by the sea shore.',
  'The shells she sells are sea shells, I am sure.',
  'For if she sells sea shells by the sea shore,',
  'then I am sure she sells sea shore shells.',
]

for await (const event of trainTokenizer({ texts: lines, vocabSize: 300, specialTokens: ['<|endoftext|>'] })) {
  if (event.kind === 'progress') {
    console.log(`${event.phase}: ${event.done}${event.total === undefined ? '' : ` of ${event.total}`}`)
    continue
  }
  console.log(`${event.reached} tokens from ${event.sizeBytes} bytes`)
  const folder = await mkdtemp(join(tmpdir(), 'weft-'))
  const file = join(folder, 'tokenizer.json')
  await writeFile(file, JSON.stringify(tokenizerToJson(event.tokenizer)))

  const tokenizer = tokenizerFromJson(await readFile(file, 'utf8'), { source: file })
  const ids = tokenizer.encode('she sells shells<|endoftext|>')
  console.log(Array.from(ids, (id) => tokenizer.decode([id])).join('|'))
  await rm(folder, { recursive: true })
}
