// Normalizers as a tokenizer.json describes them.
import type { JsonField } from '../formats/json-field.ts'
import { readMatcher } from '../pre-tokenizers/read-pattern.ts'
import { prepended, type Normalizer } from '../text/tracked-text.ts'
import { toByteAlphabet } from '../pre-tokenizers/metaspace.ts'
import { createPieceList } from '../pre-tokenizers/pieces.ts'
import { bertNormalizer } from './bert-normalizer.ts'
import { lowercase } from './letter-case.ts'
import { precompiled, readCharsMap } from './precompiled.ts'
import { replace } from './replace.ts'
import { nmt, strip, stripAccents } from './strip.ts'
import { unicodeForm } from './unicode-form.ts'

/** @returns undefined where the file has none. @throws UnsupportedError for a component that is not known here. */
export const readNormalizer = (field: JsonField): Normalizer | undefined => {
  const steps = readSteps(field)
  if (steps.length === 0) return undefined
  return steps.length === 1 ? steps[0] : (input) => steps.reduce((text, step) => step(text), input)
}

const readSteps = (field: JsonField): readonly Normalizer[] => {
  if (field.isAbsent()) return []
  const type = field.get('type').string()
  if (type === 'Sequence') return field.get('normalizers').items().flatMap(readSteps)
  if (type === 'NFC' || type === 'NFD' || type === 'NFKC' || type === 'NFKD') return [unicodeForm(type)]
  const read = Object.hasOwn(readers, type) ? readers[type] : undefined
  if (read === undefined) throw field.get('type').unsupported(`the normalizer ${type}`)
  return [read(field)]
}

const readPrepend = (field: JsonField): Normalizer => {
  const prefix = field.get('prepend').string()
  return (input) => prepended(input, prefix)
}

const readBert = (field: JsonField): Normalizer =>
  bertNormalizer({
    cleanText: field.get('clean_text').booleanOr(true),
    handleChineseChars: field.get('handle_chinese_chars').booleanOr(true),
    stripAccents: field.get('strip_accents').isAbsent() ? undefined : field.get('strip_accents').booleanOr(false),
    lowercase: field.get('lowercase').booleanOr(true),
  })

const readPrecompiled = (field: JsonField): Normalizer => {
  const charsMap = field.get('precompiled_charsmap')
  const base64 = charsMap.string()
  if (base64 === '') return (input) => input
  const map = readCharsMap(fromBase64(charsMap, base64))
  if (map === undefined) throw charsMap.wrong('a trie behind its size, then the replacements')
  return precompiled(map)
}

const fromBase64 = (field: JsonField, base64: string): Uint8Array => {
  try {
    const binary = atob(base64)
    return Uint8Array.from({ length: binary.length }, (_, i) => binary.charCodeAt(i))
  } catch {
    throw field.wrong('base64')
  }
}

const byteLevel: Normalizer = (input) => {
  const whole = createPieceList()
  whole.spans.set([0, input.text.length])
  whole.count = 1
  return input.text === '' ? input : toByteAlphabet(input, whole, createPieceList())
}

const readers: Readonly<Record<string, (field: JsonField) => Normalizer>> = {
  Lowercase: () => lowercase,
  Strip: (field) => strip(field.get('strip_left').booleanOr(true), field.get('strip_right').booleanOr(true)),
  StripAccents: () => stripAccents,
  Replace: (field) => replace(readMatcher(field.get('pattern')), field.get('content').string()),
  Prepend: readPrepend,
  Nmt: () => nmt,
  Precompiled: readPrecompiled,
  BertNormalizer: readBert,
  ByteLevel: () => byteLevel,
}
