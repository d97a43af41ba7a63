// Token healing: a prompt's last token may be the beginning of a longer one that the model has learned instead (`http:` and `://`). The
// token is taken back, and the continuation must begin with its text.
import type { EncodeOptions, Tokenizer } from '@weft/contracts'

export interface HealedPrompt {
  /** The prompt's ids without the last one. */
  readonly tokenIds: Uint32Array
  /** The bytes that were taken back: what the continuation must begin with. Empty where nothing was, after a special token above all. */
  readonly takenBytes: Uint8Array
  /** The tokens that may come next: those that begin with the bytes taken back, in order of their ids. Empty where nothing was taken. */
  readonly candidateIds: Uint32Array
}

/** The ids of a prompt for continuation, its last token taken back where another token begins with the same bytes. */
export const healPrompt = (tokenizer: Tokenizer, prompt: string, options: EncodeOptions = {}): HealedPrompt => {
  const tokenIds = tokenizer.encode(prompt, options)
  const last = tokenIds.at(-1)
  const none = { tokenIds, takenBytes: new Uint8Array(0), candidateIds: new Uint32Array(0) }
  if (last === undefined || new Set(tokenizer.specialTokens.values()).has(last)) return none
  const takenBytes = tokenizer.tokenBytes(last)
  const candidateIds = takenBytes.length === 0 ? none.candidateIds : indexOf(tokenizer).beginningWith(takenBytes)
  if (candidateIds.length < 2) return none
  return { tokenIds: tokenIds.slice(0, -1), takenBytes, candidateIds }
}

interface TokenIndex {
  beginningWith(bytes: Uint8Array): Uint32Array
}

const indexes = new WeakMap<Tokenizer, TokenIndex>()

/** All tokens but the special ones, sorted by their bytes; made once per tokenizer. */
const indexOf = (tokenizer: Tokenizer): TokenIndex => {
  const known = indexes.get(tokenizer)
  if (known !== undefined) return known
  const special = new Set(tokenizer.specialTokens.values())
  const entries: { id: number; bytes: Uint8Array }[] = []
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const bytes = special.has(id) ? undefined : tokenizer.tokenBytes(id)
    if (bytes !== undefined && bytes.length > 0) entries.push({ id, bytes })
  }
  entries.sort((a, b) => compare(a.bytes, b.bytes))
  const index: TokenIndex = {
    beginningWith: (prefix) => {
      const found: number[] = []
      for (let at = firstFrom(entries, prefix); at < entries.length && startsWith(entries[at]!.bytes, prefix); at++) found.push(entries[at]!.id)
      return Uint32Array.from(found).sort()
    },
  }
  indexes.set(tokenizer, index)
  return index
}

const firstFrom = (entries: readonly { bytes: Uint8Array }[], prefix: Uint8Array): number => {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compare(entries[middle]!.bytes, prefix) < 0) low = middle + 1
    else high = middle
  }
  return low
}

const compare = (a: Uint8Array, b: Uint8Array): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}

const startsWith = (bytes: Uint8Array, prefix: Uint8Array): boolean => prefix.every((byte, i) => bytes[i] === byte)
