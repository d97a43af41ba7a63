// Lines of UTF-8 text in bounded memory. Lines are cut in the bytes (LF never occurs inside a UTF-8 character) and decoded one by
// one, so that a bad one costs itself only.
import { inputName, readChunks, type ByteInput } from './byte-source.ts'
import { joinBytes } from './join-bytes.ts'
import { reportSkipped, type OnSkipped, type Skipped } from './skipped.ts'

export interface TextLine {
  /** Without its line end (LF or CRLF). */
  readonly text: string
  /** 1 is the first. */
  readonly line: number
  /** Where it begins, in the unpacked bytes. */
  readonly byteOffset: number
}

export interface LineOptions {
  /** Longer lines are left out without being held; default 64 MiB, far beyond any text that a person wrote. */
  readonly maxLineBytes?: number
  readonly onSkipped?: OnSkipped
  readonly signal?: AbortSignal
}

/**
 * The lines of a UTF-8 text; a byte order mark at its start is dropped. A line end after the last line opens no further one.
 * Lines that are too long (`lineTooLong`) or not UTF-8 (`invalidUtf8`) go to `onSkipped`.
 * @throws FormatError for such a line where there is no `onSkipped`.
 */
export async function* textLines(input: ByteInput, options: LineOptions = {}): AsyncGenerator<TextLine, void, undefined> {
  for await (const batch of lineBatches(input, options)) yield* batch
}

/** The same, all complete lines of a chunk at a time: an await for each line would cost more than the line. */
export async function* lineBatches(input: ByteInput, options: LineOptions): AsyncGenerator<TextLine[], void, undefined> {
  const { signal } = options
  const cutter = lineCutter(inputName(input) ?? 'stream', options)
  for await (const chunk of readChunks(input, signal === undefined ? {} : { signal })) {
    const batch = cutter.push(chunk)
    if (batch.length > 0) yield batch
  }
  const rest = cutter.end()
  if (rest.length > 0) yield rest
}

const lineFeed = 0x0a
const carriageReturn = 0x0d

const lineCutter = (source: string, options: LineOptions) => {
  const { maxLineBytes = 2 ** 26, onSkipped } = options
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let line = 1
  let lineStart = 0 // in the stream
  let held: Uint8Array[] = [] // parts of the line that is not complete yet
  let heldBytes = 0
  let isTooLong = false

  const skip = (kind: Skipped['kind'], reason: string) =>
    reportSkipped({ kind, source, line, byteOffset: lineStart, reason }, onSkipped)

  const hold = (part: Uint8Array): void => {
    heldBytes += part.length
    if (heldBytes > maxLineBytes) {
      isTooLong = true
      held = []
    } else if (part.length > 0) held.push(part)
  }

  const finish = (last: Uint8Array, endBytes: number, batch: TextLine[]): void => {
    const sizeBytes = heldBytes + last.length
    if (isTooLong || sizeBytes > maxLineBytes) {
      skip('lineTooLong', `expected a line of at most ${maxLineBytes} bytes, got ${sizeBytes}`)
    } else {
      const bytes = held.length === 0 ? last : joinBytes([...held, last])
      const text = decode(decoder, line === 1 ? withoutMark(bytes) : bytes)
      if (text === undefined) skip('invalidUtf8', isGzip(bytes) ? 'expected UTF-8, got gzip data; unpack it first with gunzip(source)' : 'expected UTF-8, got other bytes')
      else batch.push({ text, line, byteOffset: lineStart })
    }
    line++
    lineStart += sizeBytes + endBytes
    held = []
    heldBytes = 0
    isTooLong = false
  }

  return {
    push(chunk: Uint8Array): TextLine[] {
      const batch: TextLine[] = []
      let start = 0
      for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
        finish(chunk.subarray(start, end), 1, batch)
        start = end + 1
      }
      if (start < chunk.length) hold(chunk.subarray(start))
      return batch
    },
    end(): TextLine[] {
      const batch: TextLine[] = []
      if (heldBytes > 0) finish(new Uint8Array(0), 0, batch)
      return batch
    },
  }
}

const decode = (decoder: TextDecoder, bytes: Uint8Array): string | undefined => {
  const end = bytes.at(-1) === carriageReturn ? bytes.length - 1 : bytes.length
  try {
    return decoder.decode(bytes.subarray(0, end))
  } catch {
    return undefined
  }
}

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b

const withoutMark = (bytes: Uint8Array): Uint8Array =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
