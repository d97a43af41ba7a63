// Mistral's tekken.json: byte-level BPE by ranks, as tiktoken has it, with the special tokens before the others.
// Reference: mistralai/mistral-common, tokens/tokenizers/tekken.py.
import type { Tokenizer } from '@weft/contracts'
import type { TokenRoles } from '../tokenizer/token-roles.ts'
import { maxVocabSize } from '../tokenizer/token-table.ts'
import { jsonField, parseJson, type JsonField } from './json-field.ts'
import { createByteStringTable, type ByteStringTable } from '../text/byte-string-table.ts'
import { tokenizerOfRanks } from './tiktoken.ts'

export interface TokenizerFromTekkenOptions {
  /** Puts `<s>` before a text where special tokens are added, as Mistral's models want it; default true. */
  readonly addBegin?: boolean
  readonly roles?: TokenRoles
  /** The file's name, for errors. */
  readonly source?: string
}

/** The first special tokens of files of 2024, which have no list of their own. */
const oldSpecial = [
  '<unk>', '<s>', '</s>', '[INST]', '[/INST]', '[AVAILABLE_TOOLS]', '[/AVAILABLE_TOOLS]', '[TOOL_RESULTS]', '[/TOOL_RESULTS]', '[TOOL_CALLS]',
  '[IMG]', '<pad>', '[IMG_BREAK]', '[IMG_END]', '[PREFIX]', '[MIDDLE]', '[SUFFIX]', '[SYSTEM_PROMPT]', '[/SYSTEM_PROMPT]', '[TOOL_CONTENT]',
]

/**
 * A tokenizer from Mistral's tekken.json, given as text or parsed.
 * @throws FormatError where the file is broken; it names the path, for example `vocab[12].token_bytes`.
 */
export const tokenizerFromTekken = (json: unknown, options: TokenizerFromTekkenOptions = {}): Tokenizer => {
  const root = jsonField(parseJson(json, options.source), '', options.source)
  const config = root.get('config')
  const specialCount = config.get('default_num_special_tokens').index(maxVocabSize)
  const size = config.get('default_vocab_size').index(maxVocabSize) - specialCount
  if (size < 256) throw config.get('default_vocab_size').wrong(`at least ${256 + specialCount}: the bytes and the special tokens`)
  const pattern = config.get('pattern')
  const special = readSpecial(root.get('special_tokens'), specialCount)
  const begin = special.get('<s>')
  const role = (name: 'begin' | 'end' | 'unknown', token: string) => (special.has(token) ? { [name]: token } : {})
  return tokenizerOfRanks({
    ...readRanks(root.get('vocab'), size, specialCount),
    special,
    pattern: pattern.string(),
    patternPath: pattern.path,
    before: (options.addBegin ?? true) && begin !== undefined ? [begin] : [],
    roles: { ...role('begin', '<s>'), ...role('end', '</s>'), ...role('unknown', '<unk>'), ...options.roles },
    source: options.source,
  })
}

/** The bytes of the tokens with their ids, which are ranks behind the special tokens. */
const readRanks = (field: JsonField, size: number, specialCount: number): { table: ByteStringTable; ids: readonly number[] } => {
  const items = field.items()
  if (items.length < size) throw field.wrong(`at least ${size} tokens`)
  const table = createByteStringTable()
  const ids = items.slice(0, size).map((item, rank) => {
    if (item.get('rank').value !== rank) throw item.get('rank').wrong(`the rank ${rank}: tokens in their order`)
    const bytes = readBytes(item.get('token_bytes'))
    if (table.intern(bytes, 0, bytes.length) !== rank) throw item.get('token_bytes').wrong('bytes that no token before it has')
    return rank + specialCount
  })
  return { table, ids }
}

const readBytes = (field: JsonField): Uint8Array => {
  const base64 = field.string()
  let binary = ''
  try {
    binary = atob(base64)
  } catch {
    throw field.wrong('base64')
  }
  if (binary === '') throw field.wrong('the base64 of at least one byte')
  return Uint8Array.from(binary, (character) => character.charCodeAt(0))
}

const readSpecial = (field: JsonField, count: number): ReadonlyMap<string, number> => {
  const special = new Map<string, number>()
  if (field.isAbsent()) {
    oldSpecial.slice(0, count).forEach((token, id) => special.set(token, id))
  } else {
    for (const item of field.items()) special.set(item.get('token_str').string(), item.get('rank').index(count))
  }
  const taken = new Set(special.values())
  for (let id = 0; id < count; id++) if (!taken.has(id)) special.set(`<SPECIAL_${id}>`, id)
  return special
}
