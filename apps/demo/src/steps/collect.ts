// Step 1: text. Books that npm packages carry with dirt mixed in, or the person's own folder as it is.
import type { TextDocument } from '@weft/contracts'
import { folderDocuments } from '@weft/sources/node'
import { bookDocuments } from '../corpus/books.ts'
import { addDirt, type Truth } from '../corpus/dirt.ts'
import type { DemoContext } from '../context.ts'
import { excerpt, formatNumber } from '../terminal.ts'

export interface Collected {
  readonly documents: readonly TextDocument[]
  /** Known for the demo's own dirt alone. */
  readonly truth?: Truth
  /** Reason → how many files or lines were left out. */
  readonly skipped: Readonly<Record<string, number>>
}

export const collect = async (context: DemoContext): Promise<Collected> => {
  const { run, terminal, textFolder } = context
  terminal.heading(1, 'Collect text', textFolder === undefined ? 'Public-domain speeches and a novel, and a dirty part made on the spot, so that curation can be scored.' : `Your texts: ${textFolder}`)
  if (run.has('collected')) return done(context, run.load<Collected>('collected'))
  const collected = textFolder === undefined ? fromBooks(context) : await fromFolder(context, textFolder)
  await run.save('collected', collected)
  return done(context, collected)
}

const fromBooks = ({ size, seed }: DemoContext): Collected => ({ ...addDirt(bookDocuments(size.characters, seed), seed), skipped: {} })

const fromFolder = async ({ terminal, signal, size }: DemoContext, folder: string): Promise<Collected> => {
  const documents: TextDocument[] = []
  const skipped: Record<string, number> = {}
  let bar: ReturnType<typeof terminal.bar> | undefined
  let characters = 0
  const options = {
    splitAt: 'sentence' as const,
    targetCharacters: 1500,
    signal,
    onSkipped: ({ kind, source, reason }: { kind: string; source?: string; reason: string }) => {
      skipped[kind] = (skipped[kind] ?? 0) + 1
      if (skipped[kind] === 1) terminal.line(`   left out: ${source ?? folder}: ${reason}`)
    },
    onProgress: ({ readBytes, sizeBytes }: { readBytes: number; sizeBytes: number }) => {
      bar ??= terminal.bar('reading', sizeBytes / 1e6, 'MB')
      bar.update(readBytes / 1e6)
    },
  }
  for await (const document of folderDocuments(folder, options)) {
    documents.push(document)
    characters += document.text.length
    if (characters > size.characters * 2) {
      terminal.line(`   taking the first ${formatNumber(characters)} characters: more would not be seen in this demo's training time`)
      break
    }
  }
  bar?.end()
  return { documents, skipped }
}

const done = ({ terminal, run }: DemoContext, collected: Collected): Collected => {
  const { documents, skipped, truth } = collected
  const characters = documents.reduce((sum, { text }) => sum + text.length, 0)
  terminal.line(`   ${formatNumber(documents.length)} documents, ${formatNumber(characters)} characters${truth === undefined ? '' : `, ${formatNumber(Object.keys(truth.drops).length)} of them dirt, ${formatNumber(Object.keys(truth.personal).length)} with invented personal data`}`)
  for (const [reason, count] of Object.entries(skipped)) terminal.line(`   left out: ${formatNumber(count)} × ${reason}`)
  const first = documents[0]
  if (first !== undefined) terminal.line(`   for example ${first.id}: “${excerpt(first.text)}”`)
  terminal.file(run.file('steps', 'collected.json'))
  return collected
}
