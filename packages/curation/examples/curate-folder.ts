// Curates a folder of text files and prints what went and why: node --conditions=@weft/source examples/curate-folder.ts FOLDER
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { auditBias, curate, summarizeCuration } from '../src/index.ts'
import { c4Quality, fixUnicode, gopherQuality, gopherRepetition, minHashDeduplicate, redactPersonalData } from '../src/steps.ts'

async function* textFiles(folder: string) {
  for (const name of (await readdir(folder)).sort()) {
    if (name.endsWith('.txt')) yield { id: name, text: await readFile(join(folder, name), 'utf8') }
  }
}

const summary = summarizeCuration()
const kept = []
const steps = [fixUnicode(), gopherRepetition(), gopherQuality(), c4Quality({ terminalPunctuation: false }), minHashDeduplicate(), redactPersonalData()]
for await (const item of curate({ documents: textFiles(process.argv[2] ?? '.'), steps })) {
  summary.add(item)
  if (item.decision.kept) kept.push(item.document)
}
process.stdout.write(`${JSON.stringify(summary.summary(), null, 2)}\n`)
const { pronouns } = await auditBias(kept)
process.stdout.write(`she ${pronouns.female}, he ${pronouns.male}, they ${pronouns.neutral}\n`)
