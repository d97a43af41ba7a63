// JSON lines: one JSON value a line (jsonlines.org, NDJSON). Knows no record shape; json-documents.ts does.
import type { Json } from '@weft/contracts'
import { inputName, type ByteInput } from './byte-source.ts'
import { reportSkipped, type OnSkipped } from './skipped.ts'
import { lineBatches, type LineOptions, type TextLine } from './text-lines.ts'

export interface JsonLine {
  readonly value: Json
  /** 1 is the first. */
  readonly line: number
  /** Where the line begins, in the unpacked bytes. */
  readonly byteOffset: number
}

// Consumers walk values by recursion; no real record comes near this depth.
const maxDepth = 200

/**
 * The values of a JSON lines file in bounded memory; blank lines are ignored. What cannot be read goes to `onSkipped`:
 * `invalidJson` (also values nested deeper than 200), `invalidUtf8`, `lineTooLong`.
 * Numbers are JavaScript's: integers beyond 2^53 lose their last digits.
 * @throws FormatError with line and byte for such a line where there is no `onSkipped`.
 */
export async function* jsonLines(input: ByteInput, options: LineOptions = {}): AsyncGenerator<JsonLine, void, undefined> {
  const source = inputName(input) ?? 'stream'
  for await (const batch of lineBatches(input, options)) {
    for (const line of batch) {
      const parsed = parseLine(line, source, options.onSkipped)
      if (parsed !== undefined) yield parsed
    }
  }
}

const parseLine = ({ text, line, byteOffset }: TextLine, source: string, onSkipped: OnSkipped | undefined): JsonLine | undefined => {
  const skip = (reason: string, cause?: unknown) =>
    reportSkipped({ kind: 'invalidJson', source, line, byteOffset, reason }, onSkipped, cause)
  try {
    const value = JSON.parse(text) as Json
    if (!isDeeperThan(value, maxDepth)) return { value, line, byteOffset }
  } catch (error) {
    // Blank lines are looked for here only: they are rare, and JSON.parse refuses them anyway.
    if (text.trim() !== '') skip(describeJsonError(text, error), error)
    return undefined
  }
  skip(`expected JSON nested at most ${maxDepth} deep, got deeper`)
  return undefined
}

const describeJsonError = (text: string, error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error)
  const start = text.length > 60 ? `${text.slice(0, 60)}…` : text
  return `expected one JSON value a line, got ${JSON.stringify(start)} (${message})`
}

const isDeeperThan = (value: Json, depth: number): boolean => {
  if (value === null || typeof value !== 'object') return false
  if (depth === 0) return true
  const children: readonly Json[] = Array.isArray(value) ? value : Object.values(value)
  return children.some((child) => isDeeperThan(child, depth - 1))
}
