// A text taken apart before anything is cut: added tokens out of the text as it came, the rest normalized, then those added tokens out
// of it that are looked for in normalized text.
import { createAddedTokenMatcher, type AddedToken, type AddedTokenMatcher } from './added-tokens.ts'
import { sliced, untouched, type Normalizer, type TrackedText } from '../text/tracked-text.ts'
import { wellFormed } from '../text/well-formed.ts'

/** A stretch of the text: an added token, or normalized text that a model is to encode. */
interface Segment {
  /** −1: text. */
  readonly tokenId: number
  readonly input: TrackedText
}

/** @param isTracked whether each unit of normalized text shall know where it came from, which takes time. */
export type Segmenter = (text: string, allowSpecial: boolean | readonly string[], isTracked: boolean) => readonly Segment[]

export const createSegmenter = (addedTokens: readonly AddedToken[], normalizer: Normalizer | undefined): Segmenter => {
  const matchersFor = createMatchers(addedTokens, normalizer)
  return (text, allowSpecial, isTracked) => {
    const clean = wellFormed(text)
    const matchers = matchersFor(allowSpecial)
    const result: Segment[] = []
    const whole = untouched(clean, 0, isTracked)
    eachStretch(clean, matchers.raw, (tokenId, start, end) => {
      const part = sliced(whole, start, end)
      if (tokenId >= 0) return void result.push({ tokenId, input: part })
      const normalized = normalizer === undefined ? part : normalizer(part)
      eachStretch(normalized.text, matchers.normalized, (innerId, from, to) => result.push({ tokenId: innerId, input: sliced(normalized, from, to) }))
    })
    return result
  }
}

const eachStretch = (text: string, matcher: AddedTokenMatcher, visit: (tokenId: number, start: number, end: number) => void): void => {
  let from = 0
  for (const { start, end, token } of matcher(text)) {
    if (start > from) visit(-1, from, start)
    visit(token.id, start, end)
    from = end
  }
  if (from < text.length) visit(-1, from, text.length)
}

/** Matchers by what `allowSpecial` lets through; a few lists are remembered. */
const createMatchers = (addedTokens: readonly AddedToken[], normalizer: Normalizer | undefined) => {
  const contentOf = ({ content }: AddedToken): string => (normalizer === undefined ? content : normalizer({ text: content, start: 0 }).text)
  const build = (isAllowed: (token: AddedToken) => boolean) => {
    const allowed = addedTokens.filter((token) => !token.special || isAllowed(token))
    return {
      raw: createAddedTokenMatcher(allowed.filter((token) => !token.normalized)),
      normalized: createAddedTokenMatcher(allowed.filter((token) => token.normalized), contentOf),
    }
  }
  const all = build(() => true)
  const noSpecial = build(() => false)
  const lists = new Map<string, typeof all>()
  return (allowSpecial: boolean | readonly string[]): typeof all => {
    if (typeof allowSpecial === 'boolean') return allowSpecial ? all : noSpecial
    const key = JSON.stringify(allowSpecial)
    const known = lists.get(key)
    if (known !== undefined) return known
    const names = new Set(allowSpecial)
    const built = build((token) => names.has(token.content))
    if (lists.size >= 8) lists.clear()
    lists.set(key, built)
    return built
  }
}
