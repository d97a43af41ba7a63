// The added tokens of a tokenizer.json, and those that only the tokenizer_config.json beside it has.
import type { AddedToken } from '../tokenizer/added-tokens.ts'
import { maxVocabSize } from '../tokenizer/token-table.ts'
import type { JsonField } from './json-field.ts'

/** @param vocabularyId the id that the model gives to a text. */
export const readAddedTokens = (field: JsonField, vocabularyId: (token: string) => number | undefined): readonly AddedToken[] => {
  if (field.isAbsent()) return []
  const seen = new Set<string>()
  const tokens: AddedToken[] = []
  for (const item of field.items()) {
    const token = readAddedToken(item, item.get('id').index(maxVocabSize), vocabularyId)
    if (token === undefined || seen.has(token.content)) continue // as the reference does
    seen.add(token.content)
    tokens.push(token)
  }
  return tokens
}

const readAddedToken = (item: JsonField, fileId: number, vocabularyId: (token: string) => number | undefined): AddedToken | undefined => {
  const content = item.get('content').string()
  if (content === '') return undefined
  const special = item.get('special').booleanOr(false)
  return {
    id: vocabularyId(content) ?? fileId, // the vocabulary's id goes first, also in the reference
    content,
    special,
    lstrip: item.get('lstrip').booleanOr(false),
    rstrip: item.get('rstrip').booleanOr(false),
    singleWord: item.get('single_word').booleanOr(false),
    normalized: item.get('normalized').booleanOr(!special),
  }
}

/** The `added_tokens_decoder` of a tokenizer_config.json: what it has beyond the tokenizer.json, as transformers adds it. */
export const addConfiguredTokens = (
  tokens: readonly AddedToken[],
  config: JsonField,
  vocabularyId: (token: string) => number | undefined,
): readonly AddedToken[] => {
  if (config.isAbsent() || config.get('added_tokens_decoder').isAbsent()) return tokens
  const decoder = config.get('added_tokens_decoder')
  const known = new Set(tokens.map((token) => token.content))
  const more: AddedToken[] = []
  for (const id of Object.keys(decoder.object())) {
    const item = decoder.get(id)
    if (known.has(item.get('content').string())) continue
    const number = Number(id)
    if (!Number.isInteger(number) || number < 0 || number >= maxVocabSize) throw item.wrong('an id as its name')
    const token = readAddedToken(item, number, vocabularyId)
    if (token !== undefined) more.push(token)
  }
  return more.length === 0 ? tokens : [...tokens, ...more]
}
