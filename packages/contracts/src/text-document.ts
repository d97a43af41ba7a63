import type { Json } from './json.ts'

/** A piece of text on its way from a file to a tokenizer. */
export interface TextDocument {
  /** Unique within one corpus; readers build it from the file and the place in it. */
  readonly id: string
  readonly text: string
  /** The file or address that the text came from. */
  readonly source?: string
  /** Free data of the caller. `weight` (a number) is reserved: reweighing writes it, training multiplies the loss with it. */
  readonly metadata?: Readonly<Record<string, Json>>
}
