// The inside of the tokenizers that this package makes, for the functions of this package that need more than the Tokenizer interface.
import type { DecodeOptions, EncodeOptions, Json, Tokenizer } from '@weft/contracts'
import type { TextEngine } from './text-engine.ts'

export interface Inside {
  /** Made when it is first asked for. */
  engine(): TextEngine
  count(text: string, options: EncodeOptions): number
  startDecoding(options: DecodeOptions): { push(tokenId: number): string; flush(): string }
  /** The token as its vocabulary writes it. */
  tokenOf(id: number): string | undefined
  /** The tokenizer.json. */
  write(): Json
}

const insides = new WeakMap<Tokenizer, Inside>()

export const registerInside = (tokenizer: Tokenizer, inside: Inside): void => void insides.set(tokenizer, inside)

/** Undefined for a byte-level tokenizer, which has its own engine, and for tokenizers from elsewhere. */
export const insideOf = (tokenizer: Tokenizer): Inside | undefined => insides.get(tokenizer)
