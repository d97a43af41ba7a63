// Documents of what the command is given as its corpus, with what was left out counted and told.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { TextDocument } from '@weft/contracts'
import type { Skipped } from '@weft/sources'
import { folderDocuments } from '@weft/sources/node'
import { UsageError, type Session } from './session.ts'

export interface ReadingOptions {
  readonly split?: string
  readonly targetCharacters?: number
  readonly textField?: string
}

const skippedShown = 5

/** What `weft curate` writes: a folder that holds both is read as its kept documents alone. */
export const keptFile = 'kept.jsonl'
export const decisionsFile = 'decisions.jsonl'

/**
 * The documents of a folder or file, with a bar. Parts that cannot be read are left out, and told on standard error; nothing is lost
 * without a word.
 */
export async function* corpusDocuments(session: Session, path: string, options: ReadingOptions & { readonly label?: string } = {}): AsyncGenerator<TextDocument, void, undefined> {
  const { split, targetCharacters, textField, label = 'reading' } = options
  if (split !== undefined && split !== 'paragraph' && split !== 'sentence') throw new UsageError(`--split: expected paragraph or sentence, got ${split}`)
  const skipped: Skipped[] = []
  const bar = session.bar(label, 'MB')
  try {
    yield* folderDocuments(await corpusPath(path), {
      ...(split === undefined ? {} : { splitAt: split }),
      ...(split === undefined || targetCharacters === undefined ? {} : { targetCharacters }),
      ...(textField === undefined ? {} : { textField }),
      signal: session.signal,
      onSkipped: (part) => skipped.push(part),
      onProgress: ({ readBytes, sizeBytes }) => bar.update(readBytes / 1e6, sizeBytes / 1e6),
    })
  } finally {
    bar.end()
    for (const { source, line, reason } of skipped.slice(0, skippedShown)) session.warn(`left out: ${source}${line === undefined ? '' : `, line ${line}`}: ${reason}`)
    if (skipped.length > skippedShown) session.warn(`left out: ${skipped.length - skippedShown} more`)
  }
}

const corpusPath = async (path: string): Promise<string> => {
  const isThere = (name: string): Promise<boolean> =>
    stat(join(path, name)).then(
      () => true,
      () => false,
    )
  return (await isThere(keptFile)) && (await isThere(decisionsFile)) ? join(path, keptFile) : path
}
