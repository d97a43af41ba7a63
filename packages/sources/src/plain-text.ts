// A text file as one document, or as many of about one length. Knows encodings and what is no text; knows no folder.
import type { TextDocument } from '@weft/contracts'
import { inputName, readChunks, type ByteInput } from './byte-source.ts'
import { joinBytes } from './join-bytes.ts'
import { reportSkipped, type OnSkipped, type Skipped } from './skipped.ts'
import { textSplitter, type SplitOptions } from './split-document.ts'

export interface PlainTextOptions extends Partial<SplitOptions> {
  /** The document's id; default the input's name. With `splitAt`: `id#1`, `id#2`, …. */
  readonly id?: string
  /** Without `splitAt`, larger files are left out (`tooLarge`); default 256 MiB: a JavaScript string ends at some 512 MiB. */
  readonly maxDocumentBytes?: number
  /**
   * The share of characters U+FFFD (what bytes that are no UTF-8 become) up to which a document is kept; default 0.01. A few
   * broken bytes stay below it; a text in another encoding does not, and would be damaged silently.
   */
  readonly maxInvalidFraction?: number
  readonly onSkipped?: OnSkipped
  readonly signal?: AbortSignal
}

/**
 * One document for the whole file, or with `splitAt` one for each run of sentences or paragraphs, in bounded memory.
 * UTF-8, or UTF-16 with a byte order mark; line ends become LF. `metadata.replacedCharacters` counts U+FFFD where there are any.
 * To `onSkipped` go: `binary` (NUL characters; in the first part of a file: all of it), `invalidUtf8`, `empty`, `tooLarge`.
 * @throws FormatError for such a file or document where there is no `onSkipped`.
 */
export async function* plainText(input: ByteInput, options: PlainTextOptions = {}): AsyncGenerator<TextDocument, void, undefined> {
  const source = inputName(input) ?? 'stream'
  const { id = source, splitAt, targetCharacters, maxInvalidFraction = 0.01, onSkipped } = options
  const skip = (kind: Skipped['kind'], reason: string) => reportSkipped({ kind, source, reason }, onSkipped)
  const document = (text: string, part: number): TextDocument | undefined => {
    const place = splitAt === undefined ? '' : `document ${id}#${part}: `
    const problem = findProblem(text, maxInvalidFraction)
    if (problem !== undefined) return void skip(problem.kind, place + problem.reason)
    const replacedCharacters = countReplaced(text)
    return { id: splitAt === undefined ? id : `${id}#${part}`, text, source, ...(replacedCharacters > 0 ? { metadata: { replacedCharacters } } : {}) }
  }

  const parts = decodedParts(input, options)
  if (splitAt === undefined) {
    const text = await wholeText(parts, source, options)
    const only = text === undefined ? undefined : document(text, 0)
    if (only !== undefined) yield only
    return
  }
  const splitter = textSplitter({ splitAt, ...(targetCharacters === undefined ? {} : { targetCharacters }) })
  let part = 0
  for await (const { text, isFirst } of parts) {
    if (isFirst && text.includes('\0')) return skip('binary', binaryReason)
    for (const piece of splitter.push(text)) {
      const made = document(piece, ++part)
      if (made !== undefined) yield made
    }
  }
  for (const piece of splitter.end()) {
    const made = document(piece, ++part)
    if (made !== undefined) yield made
  }
  if (part === 0) skip('empty', emptyReason)
}

const binaryReason = 'expected text, got NUL characters: a binary file'
const emptyReason = 'expected text, got none'

interface TextPart {
  readonly text: string
  readonly sizeBytes: number
  readonly isFirst: boolean
}

/** The text of a file, a chunk at a time, line ends as LF. */
async function* decodedParts(input: ByteInput, { signal }: PlainTextOptions): AsyncGenerator<TextPart, void, undefined> {
  let decoder: TextDecoder | undefined
  let isFirst = true
  let held = '' // a CR whose LF may come with the next chunk
  const normalize = (text: string): string => {
    const all = held + text
    held = all.endsWith('\r') ? '\r' : ''
    return (held === '' ? all : all.slice(0, -1)).replace(/\r\n?/g, '\n')
  }
  for await (const chunk of atLeast(2, readChunks(input, signal === undefined ? {} : { signal }))) {
    decoder ??= new TextDecoder(encodingOf(chunk))
    yield { text: normalize(decoder.decode(chunk, { stream: true })), sizeBytes: chunk.length, isFirst }
    isFirst = false
  }
  const rest = (held + (decoder?.decode() ?? '')).replace('\r', '\n')
  if (rest !== '') yield { text: rest, sizeBytes: 0, isFirst: false }
}

/** The chunks, the first one long enough to hold a byte order mark. */
async function* atLeast(count: number, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let start: Uint8Array = new Uint8Array(0)
  let isFirst = true
  for await (const chunk of chunks) {
    const bytes = isFirst ? joinBytes([start, chunk]) : chunk
    if (isFirst && bytes.length < count) start = bytes
    else {
      yield bytes
      isFirst = false
    }
  }
  if (isFirst && start.length > 0) yield start
}

const encodingOf = (start: Uint8Array): string =>
  start[0] === 0xff && start[1] === 0xfe ? 'utf-16le' : start[0] === 0xfe && start[1] === 0xff ? 'utf-16be' : 'utf-8'

const wholeText = async (parts: AsyncIterable<TextPart>, source: string, options: PlainTextOptions): Promise<string | undefined> => {
  const { maxDocumentBytes = 2 ** 28, onSkipped } = options
  const texts: string[] = []
  let sizeBytes = 0
  for await (const part of parts) {
    sizeBytes += part.sizeBytes
    if (sizeBytes > maxDocumentBytes) {
      const reason = `expected at most ${maxDocumentBytes} bytes for one document, got more; cut it with splitAt: 'paragraph' or 'sentence'`
      reportSkipped({ kind: 'tooLarge', source, reason }, onSkipped)
      return undefined
    }
    texts.push(part.text)
    if (part.isFirst && part.text.includes('\0')) break // no need to read the rest of a binary file
  }
  return texts.join('')
}

const findProblem = (text: string, maxInvalidFraction: number): { kind: Skipped['kind']; reason: string } | undefined => {
  if (text.trim() === '') return { kind: 'empty', reason: emptyReason }
  if (text.includes('\0')) return { kind: 'binary', reason: binaryReason }
  const replaced = countReplaced(text)
  if (replaced <= maxInvalidFraction * text.length) return undefined
  const percent = ((100 * replaced) / text.length).toFixed(1)
  return { kind: 'invalidUtf8', reason: `expected UTF-8, but ${replaced} characters (${percent} %) are not; convert the file, for example with iconv` }
}

const countReplaced = (text: string): number => {
  let count = 0
  for (let at = text.indexOf('\ufffd'); at >= 0; at = text.indexOf('\ufffd', at + 1)) count++
  return count
}
