// Counts documents and characters of a folder of texts: `node --conditions=@weft/source folder-statistics.ts FOLDER`.
import { folderDocuments } from '@weft/sources/node'

const [folder = '.'] = process.argv.slice(2)
const skipped = new Map<string, number>()
let documents = 0
let characters = 0
const options = {
  splitAt: 'sentence',
  onSkipped: ({ kind }: { kind: string }) => skipped.set(kind, (skipped.get(kind) ?? 0) + 1),
} as const
for await (const { text } of folderDocuments(folder, options)) {
  documents++
  characters += text.length
}
console.log(`${documents} documents, ${characters} characters, skipped:`, Object.fromEntries(skipped))
