// The documents of a folder of text files, or of one file: which files, in which order, read by which reader.
import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ConfigError, isWeftError, type TextDocument } from '@weft/contracts'
import type { ByteInput } from '../byte-source.ts'
import { gunzip } from '../gunzip.ts'
import { documentsFromJsonLines, type JsonDocumentOptions } from '../json-documents.ts'
import { plainText, type PlainTextOptions } from '../plain-text.ts'
import { withProgress, type ReadProgress } from '../progress.ts'
import { reportSkipped, type OnSkipped } from '../skipped.ts'
import { errorCode, fileError, withFileErrors } from './file-error.ts'
import { fileSource } from './file-source.ts'

export interface FolderOptions extends Omit<PlainTextOptions, 'id'>, Omit<JsonDocumentOptions, 'id' | 'idField'> {
  /** Which files count, by the end of their name (case does not matter); each also with `.gz` behind. Default .txt .md .jsonl .ndjson. */
  readonly extensions?: readonly string[]
  /** After each read, over all files together: `name` is the file at hand, bytes are as stored. */
  readonly onProgress?: (progress: ReadProgress) => void
}

const defaultExtensions = ['.txt', '.md', '.jsonl', '.ndjson']
const recordExtensions = ['.jsonl', '.ndjson']

/**
 * The documents of all text files in a folder and the folders in it, in the order of their names, in bounded memory. `.jsonl` and
 * `.ndjson` hold a record a line (documentsFromJsonLines), all else is text (plainText: a document a file, or with `splitAt` one
 * for each run of sentences or paragraphs); `.gz` is unpacked. Ids are unique: `folder/file.txt`, `file.txt#3`, `file.jsonl:12` (a
 * record's own id stays in its metadata). A path to one file is read whatever its name.
 * Left aside: names that begin with a dot, symbolic links to folders, files with other extensions. What cannot be read goes to
 * `onSkipped`: see plainText and documentsFromJsonLines; and `unreadable` for a file that cannot be opened or is broken packed data.
 * @throws ConfigError for a missing path or a folder without such files; FormatError for an unreadable part without `onSkipped`.
 */
export async function* folderDocuments(path: string, options: FolderOptions = {}): AsyncGenerator<TextDocument, void, undefined> {
  const { onSkipped, onProgress, signal } = options
  signal?.throwIfAborted()
  const files = await listFiles(path, options)
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0)
  let doneBytes = 0
  for (const file of files) {
    const before = doneBytes
    yield* readFile(file, {
      ...options,
      ...(onProgress === undefined ? {} : { onProgress: (p) => onProgress({ name: p.name, readBytes: before + p.readBytes, sizeBytes }) }),
    }, onSkipped)
    doneBytes += file.sizeBytes
    onProgress?.({ name: file.path, readBytes: doneBytes, sizeBytes }) // also where a file was skipped half-way
  }
}

interface FoundFile {
  readonly path: string
  /** With `/`, whatever the platform. */
  readonly relative: string
  readonly sizeBytes: number
}

async function* readFile(file: FoundFile, options: FolderOptions, onSkipped: OnSkipped | undefined): AsyncGenerator<TextDocument, void, undefined> {
  try {
    const opened = await fileSource(file.path)
    try {
      const source = options.onProgress === undefined ? opened : withProgress(opened, options.onProgress)
      const isPacked = file.relative.toLowerCase().endsWith('.gz')
      const input: ByteInput = isPacked ? gunzip(source) : source
      if (recordExtensions.some((extension) => contentName(file.relative).endsWith(extension))) {
        yield* documentsFromJsonLines(input, { ...options, id: file.relative, idField: null })
      } else yield* plainText(input, { ...options, id: file.relative })
    } finally {
      await opened.close?.()
    }
  } catch (error) {
    // Only what is wrong with this file: an abort or an error of the caller's own callbacks goes through.
    const isFileProblem = isWeftError(error, 'format') || isWeftError(error, 'config') || errorCode(error) !== undefined
    if (onSkipped === undefined || !isFileProblem) throw error
    reportSkipped({ kind: 'unreadable', source: file.path, reason: error instanceof Error ? error.message : String(error) }, onSkipped)
  }
}

const listFiles = async (path: string, options: FolderOptions): Promise<FoundFile[]> => {
  const { onSkipped, signal } = options
  const info = await withFileErrors(path, 'reading', () => stat(path))
  if (!info.isDirectory()) return [{ path, relative: basename(path), sizeBytes: info.size }]
  const extensions = (options.extensions ?? defaultExtensions).map((extension) => `.${extension.replace(/^\./, '').toLowerCase()}`)
  const files: FoundFile[] = []
  const others = new Set<string>()
  const visit = async (folder: string, prefix: string): Promise<void> => {
    signal?.throwIfAborted()
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue
      const found = { path: join(folder, entry.name), relative: `${prefix}${entry.name}` }
      await orSkip(found.path, onSkipped, async () => {
        if (entry.isDirectory()) await visit(found.path, `${found.relative}/`)
        else if (!isWanted(entry.name, extensions)) others.add(/\.[^.]*$/.exec(entry.name)?.[0] ?? entry.name)
        else if (entry.isFile() || entry.isSymbolicLink()) {
          const target = await stat(found.path)
          if (target.isFile()) files.push({ ...found, sizeBytes: target.size })
        }
      })
    }
  }
  await withFileErrors(path, 'reading', () => visit(path, ''))
  if (files.length === 0) throw new ConfigError(`${path}: expected files ending in ${extensions.join(', ')} (or these with .gz), found ${describeOthers(others)}`)
  return files.sort((a, b) => (a.relative < b.relative ? -1 : a.relative > b.relative ? 1 : 0))
}

const orSkip = async (path: string, onSkipped: OnSkipped | undefined, work: () => Promise<void>): Promise<void> => {
  try {
    await work()
  } catch (error) {
    if (onSkipped === undefined || errorCode(error) === undefined) throw fileError(error, path, 'reading')
    const described = fileError(error, path, 'reading')
    reportSkipped({ kind: 'unreadable', source: path, reason: described instanceof Error ? described.message : String(described) }, onSkipped)
  }
}

/** The name that says what is inside: without `.gz`, in small letters. */
const contentName = (name: string): string => name.toLowerCase().replace(/\.gz$/, '')

/** `stories.gz` says nothing of its content and is taken as text. */
const isWanted = (name: string, extensions: readonly string[]): boolean => {
  const content = contentName(name)
  return extensions.some((extension) => content.endsWith(extension)) || (name.toLowerCase().endsWith('.gz') && !content.includes('.'))
}

const describeOthers = (others: ReadonlySet<string>): string =>
  others.size === 0 ? 'none' : `only others (${[...others].slice(0, 8).join(', ')}${others.size > 8 ? ', …' : ''})`
