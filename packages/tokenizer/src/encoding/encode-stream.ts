// Encoding of a text that comes in parts, in bounded memory, with the ids of the whole. A tokenizer does not say where a text may be cut,
// so it is tried: a cut holds where the ids in front of it do not change when the text goes on, and those behind it do not depend on
// how far back the text begins.
import { ConfigError, type EncodeOptions, type Tokenizer } from '@weft/contracts'

export interface EncodeStreamOptions extends EncodeOptions {
  /** UTF-16 units that are held at most before the text is cut; default 65,536. */
  readonly windowUnits?: number
}

/**
 * The ids of `texts` joined, in portions. Cuts are made before a space behind a word, at the beginning of a line and behind East Asian
 * punctuation, where 256 units on either side prove that they change nothing. A text without any such place (a megabyte of one letter)
 * is held until it ends.
 */
export async function* encodeStream(
  tokenizer: Tokenizer,
  texts: Iterable<string> | AsyncIterable<string>,
  options: EncodeStreamOptions = {},
): AsyncGenerator<Uint32Array, void, void> {
  const { windowUnits = 65_536, addSpecialTokens = true, ...others } = options
  if (!Number.isInteger(windowUnits) || windowUnits < 1024) throw new ConfigError(`windowUnits: expected an integer from 1024 up, got ${windowUnits}`)
  const plain = { ...others, addSpecialTokens: false }
  const [before, behind] = addSpecialTokens ? frame(tokenizer, plain) : [new Uint32Array(0), new Uint32Array(0)]
  if (before.length > 0) yield before
  let held = ''
  let context = '' // what came right before `held`, already encoded
  let patience = windowUnits
  const encode = (text: string): Uint32Array => tokenizer.encode(text, plain)
  for await (const text of texts) {
    held += text
    while (held.length >= patience) {
      const cut = findCut(held, encode)
      if (cut === undefined) {
        patience = held.length * 2
        break
      }
      yield behindContext(context, held.slice(0, cut), encode)
      context = contextAt(held, cut)
      held = held.slice(cut)
      patience = windowUnits
    }
  }
  if (held !== '') yield behindContext(context, held, encode)
  if (behind.length > 0) yield behind
}

type Encode = (text: string) => Uint32Array

const contextUnits = 256

/** The ids of `text` where `context` stands before it. */
const behindContext = (context: string, text: string, encode: Encode): Uint32Array => {
  if (context === '') return encode(text)
  const known = encode(context).length
  return encode(context + text).slice(known)
}

/** Some text that ends at `cut` and begins at a place where the text may be cut. */
const contextAt = (text: string, cut: number): string => {
  const from = Math.max(0, cut - contextUnits)
  const start = candidates(text, from, cut).next().value ?? from
  return text.slice(start < cut ? start : from, cut)
}

/** The last place where cutting changes nothing; undefined where there is none in the last half. */
const findCut = (text: string, encode: Encode): number | undefined => {
  let tries = 0
  for (const cut of Array.from(candidates(text, text.length >> 1, text.length - contextUnits)).reverse()) {
    if (isSafe(text, cut, encode)) return cut
    if (++tries === 64) return undefined
  }
  return undefined
}

const isSafe = (text: string, cut: number, encode: Encode): boolean => {
  const right = text.slice(cut, cut + contextUnits)
  const tails = [text.slice(Math.max(0, cut - contextUnits), cut), contextAt(text, cut)].map((left) => {
    const alone = encode(left)
    const joined = encode(left + right)
    return startsWith(joined, alone) ? joined.slice(alone.length) : undefined
  })
  const [far, near] = tails
  return far !== undefined && near !== undefined && far.length === near.length && startsWith(far, near)
}

const startsWith = (ids: Uint32Array, head: Uint32Array): boolean => head.length <= ids.length && head.every((id, i) => ids[i] === id)

/** Places before a single space behind a word, at the beginning of a line, behind East Asian punctuation. */
function* candidates(text: string, from: number, to: number): Generator<number, undefined> {
  for (let at = Math.max(1, from); at < to; at++) {
    const unit = text.charCodeAt(at)
    const last = text.charCodeAt(at - 1)
    if (unit === 0x20 ? !isSpace(last) && !isSpace(text.charCodeAt(at + 1)) : !isSpace(unit) && (last === 0x0a || isEastAsianMark(last))) yield at
  }
  return undefined
}

const isEastAsianMark = (unit: number): boolean => (unit >= 0x3001 && unit <= 0x3003) || unit === 0xff0c || unit === 0xff01 || unit === 0xff1f

const isSpace = (unit: number): boolean => unit === 0x20 || (unit >= 9 && unit <= 13)

/** What the template puts before and behind a text. */
const frame = (tokenizer: Tokenizer, plain: EncodeOptions): [Uint32Array, Uint32Array] => {
  const probe = 'a'
  const inner = tokenizer.encode(probe, plain)
  const whole = tokenizer.encode(probe, { ...plain, addSpecialTokens: true })
  for (let at = 0; at + inner.length <= whole.length; at++) {
    if (inner.every((id, i) => whole[at + i] === id)) return [whole.slice(0, at), whole.slice(at + inner.length)]
  }
  return [whole.slice(0, 0), whole.slice(0, 0)]
}
