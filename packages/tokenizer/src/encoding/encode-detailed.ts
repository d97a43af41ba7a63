// Encoding with everything that is known of the tokens: one text, two, or a batch, truncated and padded on demand.
import { ConfigError, UnsupportedError, type EncodeOptions, type Tokenizer } from '@weft/contracts'
import { engineOf } from '../tokenizer/byte-level-tokenizer.ts'
import { insideOf } from '../tokenizer/inside.ts'
import type { TextEngine } from '../tokenizer/text-engine.ts'
import { textEngineOfBytes } from '../tokenizer/text-engine-of-bytes.ts'
import { fillDraft, joinDrafts, type Draft } from './draft.ts'
import { finishEncoding, type Encoding } from './encoding.ts'
import { pad, truncate, type PaddingOptions, type TruncationOptions } from './limits.ts'

export interface EncodeDetailedOptions extends EncodeOptions {
  /** `true`: as the tokenizer.json says; default: none. */
  readonly truncation?: boolean | TruncationOptions
  /** `true`: as the tokenizer.json says; default: none. */
  readonly padding?: boolean | PaddingOptions
}

/**
 * A text with its token strings, offsets, masks, words and types, as Hugging Face tokenizers gives them.
 * @throws UnsupportedError for a tokenizer that this package did not make.
 */
export const encodeDetailed = (tokenizer: Tokenizer, text: string, options: EncodeDetailedOptions = {}): Encoding =>
  encodeBatch(tokenizer, [text], options)[0]!

/** Two texts as one sequence, framed by the tokenizer's template for pairs. */
export const encodePair = (tokenizer: Tokenizer, first: string, second: string, options: EncodeDetailedOptions = {}): Encoding =>
  encodeBatch(tokenizer, [[first, second]], options)[0]!

/** Texts or pairs of texts; padded, all become as long as the longest, or as `padding.length` says. */
export const encodeBatch = (
  tokenizer: Tokenizer,
  inputs: readonly (string | readonly [string, string])[],
  options: EncodeDetailedOptions = {},
): readonly Encoding[] => {
  const engine = textEngineOf(tokenizer)
  const { parts } = engine
  const truncation = limitOf('truncation', options.truncation, parts.truncation)
  const padding = limitOf('padding', options.padding, parts.padding)
  const texts = inputs.map((input) => (typeof input === 'string' ? [input] : input))
  const drafts = texts.map((each) => draftOf(engine, each, options, truncation))
  return (padding === undefined ? drafts : pad(drafts, padding)).map((draft, i) => finishEncoding(draft, texts[i]!))
}

const limitOf = <T>(name: string, asked: boolean | T | undefined, own: T | undefined): T | undefined => {
  if (asked === undefined || asked === false) return undefined
  if (asked !== true) return asked
  if (own === undefined) throw new ConfigError(`${name}: the tokenizer.json has none, expected its settings as an object`)
  return own
}

const draftOf = (engine: TextEngine, texts: readonly string[], options: EncodeOptions, truncation: TruncationOptions | undefined): Draft => {
  const { addSpecialTokens = true, allowSpecial = true } = options
  const { processor } = engine.parts
  const added = addSpecialTokens ? processor.addedTokens(texts.length > 1) : 0
  const whole = texts.map((text, i) => engine.draft(text, allowSpecial, i))
  const cut = truncation === undefined ? whole : truncate(whole, truncation, added)
  cut.forEach((draft, i) => {
    fillDraft(draft, 'sequenceIds', i)
    draft.overflowing.forEach((part) => fillDraft(part, 'sequenceIds', i))
  })
  return joinDrafts(processor.process(cut, addSpecialTokens))
}

const textEngineOf = (tokenizer: Tokenizer): TextEngine => {
  const inside = insideOf(tokenizer)
  if (inside !== undefined) return inside.engine()
  const engine = engineOf(tokenizer)
  if (engine === undefined) throw new UnsupportedError('expected a tokenizer made by @weft/tokenizer, got another')
  return textEngineOfBytes(engine.pipeline)
}
