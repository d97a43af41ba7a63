// What a reader leaves out is reported, never lost: to `onSkipped` where the caller gives one, else as an error.
import { FormatError, type ErrorPlace } from '@weft/contracts'

/** A line, record, document or file that a reader left out. */
export interface Skipped {
  readonly kind:
    | 'lineTooLong'
    | 'invalidUtf8'
    | 'invalidJson'
    /** Valid JSON, but not a record of the expected shape (no text field, not an object). */
    | 'wrongRecord'
    /** Holds NUL bytes: not text. */
    | 'binary'
    | 'empty'
    /** A document beyond the size limit. */
    | 'tooLarge'
    /** The file cannot be read or unpacked (from the broken place on). */
    | 'unreadable'
  /** The file or address. */
  readonly source: string
  /** 1 is the first. */
  readonly line?: number
  /** Where it begins, in the unpacked bytes. */
  readonly byteOffset?: number
  /** For people: what was expected and what was there. */
  readonly reason: string
}

/** Called once for each thing left out. Without it the same thing is a FormatError, so that nothing is lost silently. */
export type OnSkipped = (skipped: Skipped) => void

/** Tells the caller, or throws where nobody listens. */
export const reportSkipped = (skipped: Skipped, onSkipped: OnSkipped | undefined, cause?: unknown): void => {
  if (onSkipped !== undefined) {
    onSkipped(skipped)
    return
  }
  const place: ErrorPlace = {
    source: skipped.source,
    ...(skipped.line === undefined ? {} : { line: skipped.line }),
    ...(skipped.byteOffset === undefined ? {} : { byteOffset: skipped.byteOffset }),
  }
  throw new FormatError(`${skipped.reason} (give \`onSkipped\` to leave such parts out and count them)`, place, { cause })
}
