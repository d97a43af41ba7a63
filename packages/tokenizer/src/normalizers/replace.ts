// Replace: every match of a text or a pattern by a content. What is put in stands where the last character of the match stood.
import { trackedWriter, type Normalizer } from '../text/tracked-text.ts'
import type { Matcher } from '../pre-tokenizers/matcher.ts'

/** @param matcher finds the matches; a text is `literalMatcher(text)`. */
export const replace =
  (matcher: Matcher, content: string): Normalizer =>
  (input) => {
    const { text } = input
    const matches = matcher(text)
    if (matches.length === 0) return input
    if (input.origins === undefined) return { text: joined(text, matches, content), start: input.start }
    const writer = trackedWriter(input)
    let from = 0
    const copy = (to: number): void => {
      for (; from < to; from++) writer.write(text[from]!, from)
    }
    for (let i = 0; i < matches.length; i += 2) {
      copy(matches[i]!)
      from = matches[i + 1]!
      writer.write(content, from - 1)
    }
    copy(text.length)
    return writer.finish()
  }

/** The text with all matches replaced. */
export const joined = (text: string, matches: readonly number[], content: string): string => {
  const parts: string[] = []
  let from = 0
  for (let i = 0; i < matches.length; i += 2) {
    parts.push(text.slice(from, matches[i]), content)
    from = matches[i + 1]!
  }
  parts.push(text.slice(from))
  return parts.join('')
}
