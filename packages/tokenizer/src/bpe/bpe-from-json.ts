// A tokenizer.json of byte-level BPE alone, without the readers of everything else: small enough for a page.
import { UnsupportedError, type Tokenizer } from '@weft/contracts'
import { byteLevelFromParts, isByteLevel } from '../formats/byte-level-json.ts'
import type { JsonField } from '../formats/json-field.ts'
import { readParts, type ReadOptions } from '../formats/json-parts.ts'
import { unicodeForm } from '../normalizers/unicode-form.ts'
import type { Normalizer } from '../text/tracked-text.ts'

/**
 * As `tokenizerFromJson`, for the tokenizers of GPT-2, GPT-NeoX, Llama 3, Qwen, OLMo, DeepSeek and their like.
 * @throws UnsupportedError for any other; the main entry's `tokenizerFromJson` opens it.
 */
export const bpeFromJson = (json: unknown, options: ReadOptions = {}): Tokenizer => {
  const parts = readParts(json, options)
  const { root, template } = parts
  if (!isByteLevel(root) || template === undefined) {
    throw new UnsupportedError(`${options.source ?? 'tokenizer.json'}: expected byte-level BPE, got another kind; tokenizerFromJson opens it`)
  }
  const steps = readForms(root.get('normalizer'))
  return byteLevelFromParts(parts, template, steps.length === 0 ? undefined : (input) => steps.reduce((text, step) => step(text), input))
}

const readForms = (field: JsonField): readonly Normalizer[] => {
  if (field.isAbsent()) return []
  const type = field.get('type').string()
  if (type === 'Sequence') return field.get('normalizers').items().flatMap(readForms)
  if (type === 'NFC' || type === 'NFD' || type === 'NFKC' || type === 'NFKD') return [unicodeForm(type)]
  throw field.get('type').unsupported(`the normalizer ${type} (tokenizerFromJson knows it)`)
}
