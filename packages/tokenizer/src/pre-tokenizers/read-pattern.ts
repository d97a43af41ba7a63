// A pattern of a tokenizer.json: `{ "String": … }` as it stands, or `{ "Regex": … }` in Oniguruma's syntax.
import type { JsonField } from '../formats/json-field.ts'
import { literalMatcher, type Matcher } from './matcher.ts'
import { patternMatcher } from './pattern-matcher.ts'

/** @throws UnsupportedError for syntax that is not known here. */
export const readMatcher = (pattern: JsonField): Matcher => {
  const literal = readLiteral(pattern)
  if (literal !== undefined) return literalMatcher(literal)
  const regex = pattern.get('Regex')
  return patternMatcher(regex.string(), regex.path)
}

/** The text that is looked for, where the pattern is one. */
export const readLiteral = (pattern: JsonField): string | undefined => {
  const text = pattern.get('String')
  return text.isAbsent() ? undefined : text.string()
}
