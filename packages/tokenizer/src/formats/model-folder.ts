// Which of a model folder's files is its tokenizer: the names that models come with, in the order in which they are looked for.
import { ConfigError, FormatError, type Tokenizer } from '@weft/contracts'
import { tokenizerFromLlama2c } from './llama2c.ts'
import { tokenizerFromSentencePiece } from './sentencepiece.ts'
import { tokenizerFromTekken } from './tekken.ts'
import { tokenizerFromJson } from './tokenizer-json.ts'
import { tokenizerFromVocabAndMerges } from './vocab-and-merges.ts'
import { tokenizerFromVocabTxt } from './vocab-txt.ts'

/** The content of a file of the folder; undefined where it is not there. */
export type ReadTokenizerFile = (name: string) => Promise<Uint8Array | undefined>

export interface TokenizerFile {
  /** What the file is called in a model's folder. */
  readonly name: string
  /** A file that belongs to it. */
  readonly beside?: string
}

/** The names, the first that is there counts. */
export const tokenizerFiles: readonly TokenizerFile[] = [
  { name: 'tokenizer.json' },
  { name: 'tokenizer.model' },
  { name: 'tekken.json' },
  { name: 'vocab.json', beside: 'merges.txt' },
  { name: 'vocab.txt' },
  { name: 'tok.bin' },
]

/**
 * The tokenizer of a model's folder, with what tokenizer_config.json says of it; undefined where there is none.
 * @param source the folder's name, for errors.
 * @throws FormatError with the file and the place, where one is broken.
 */
export const tokenizerFromFolder = async (read: ReadTokenizerFile, source?: string): Promise<Tokenizer | undefined> => {
  for (const { name } of tokenizerFiles) {
    const bytes = await read(name)
    if (bytes !== undefined) return tokenizerFromFile(name, bytes, read, source)
  }
  return undefined
}

/**
 * The tokenizer of a file; its name says what it is: one of the usual ones, or any that ends in .json, .model, .bin, .txt.
 * @param read finds what lies beside it.
 */
export const tokenizerFromFile = async (name: string, bytes: Uint8Array, read: ReadTokenizerFile, folder?: string): Promise<Tokenizer> => {
  const source = folder === undefined ? name : `${folder}/${name}`
  const config = await readConfig(read, folder)
  if (name === 'vocab.json') return pair(bytes, await read('merges.txt'), source)
  if (name.endsWith('.json')) return fromJson(text(bytes), config, source)
  if (name.endsWith('.model')) return tokenizerFromSentencePiece(bytes, { addBegin: config['add_bos_token'] === true, addEnd: config['add_eos_token'] === true, source })
  if (name.endsWith('.txt')) return tokenizerFromVocabTxt({ vocab: text(bytes), ...casing(config), source })
  if (name.endsWith('.bin')) return tokenizerFromLlama2c(bytes, { source })
  throw new ConfigError(`${source}: expected a tokenizer file (${tokenizerFiles.map((file) => file.name).join(', ')})`)
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const readConfig = async (read: ReadTokenizerFile, folder: string | undefined): Promise<Readonly<Record<string, unknown>>> => {
  const bytes = await read('tokenizer_config.json')
  if (bytes === undefined) return {}
  try {
    const config = JSON.parse(text(bytes)) as unknown
    return typeof config === 'object' && config !== null && !Array.isArray(config) ? (config as Record<string, unknown>) : {}
  } catch (cause) {
    const source = folder === undefined ? 'tokenizer_config.json' : `${folder}/tokenizer_config.json`
    throw new FormatError(`expected JSON (${cause instanceof Error ? cause.message : String(cause)})`, { source }, { cause })
  }
}

const pair = (vocab: Uint8Array, merges: Uint8Array | undefined, source: string): Tokenizer => {
  if (merges === undefined) throw new ConfigError(`${source}: expected merges.txt beside it, it is not there`)
  return tokenizerFromVocabAndMerges({ vocab: text(vocab), merges: text(merges), source })
}

/** Mistral's file is told by its content, so that it may have any name. */
const fromJson = (json: string, config: unknown, source: string): Tokenizer => {
  const isTekken = /"token_bytes"\s*:/.test(json.slice(0, 4096)) || /"default_vocab_size"\s*:/.test(json.slice(0, 4096))
  return isTekken ? tokenizerFromTekken(json, { source }) : tokenizerFromJson(json, { source, config })
}

const casing = (config: Readonly<Record<string, unknown>>) => ({
  ...(typeof config['do_lower_case'] === 'boolean' ? { lowercase: config['do_lower_case'] } : {}),
  ...(typeof config['strip_accents'] === 'boolean' ? { stripAccents: config['strip_accents'] } : {}),
  ...(typeof config['tokenize_chinese_chars'] === 'boolean' ? { handleChineseChars: config['tokenize_chinese_chars'] } : {}),
})
