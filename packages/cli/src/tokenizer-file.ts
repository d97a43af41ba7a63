// A tokenizer by its path, and a chat template by its.
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ConfigError, FormatError, type Tokenizer } from '@weft/contracts'
import { compileChatTemplate, tokenizerFromJson, tokenizerFromVocabAndMerges, type ChatTemplate } from '@weft/tokenizer'

// The largest published tokenizer.json has some 35 MB.
const maxBytes = 2 ** 28

const readText = async (path: string): Promise<string> => {
  const info = await stat(path).catch(() => undefined)
  if (info === undefined) throw new ConfigError(`${path}: there is no such file`)
  if (info.isDirectory()) throw new ConfigError(`${path}: expected a file, got a folder`)
  if (info.size > maxBytes) throw new FormatError(`expected at most ${maxBytes} bytes, got ${info.size}`, { source: path })
  return readFile(path, 'utf8')
}

const isFile = (path: string): Promise<boolean> => stat(path).then((info) => info.isFile(), () => false)

/** tokenizer.json, vocab.json with merges.txt beside it, or a folder with one of these, in this order. */
export const openTokenizer = async (path: string): Promise<Tokenizer> => {
  const info = await stat(path).catch(() => undefined)
  if (info === undefined) throw new ConfigError(`${path}: there is no such file or folder`)
  if (!info.isDirectory()) return basename(path) === 'vocab.json' ? fromVocab(dirname(path)) : fromJson(path)
  if (await isFile(join(path, 'tokenizer.json'))) return fromJson(join(path, 'tokenizer.json'))
  if (await isFile(join(path, 'vocab.json'))) return fromVocab(path)
  throw new ConfigError(`${path}: expected tokenizer.json, or vocab.json and merges.txt; none of them is there`)
}

const fromJson = async (path: string): Promise<Tokenizer> => {
  const settings = join(dirname(path), 'tokenizer_config.json')
  const config = (await isFile(settings)) ? parseJson(await readText(settings), settings) : undefined
  return tokenizerFromJson(await readText(path), { source: path, ...(config === undefined ? {} : { config }) })
}

const fromVocab = async (folder: string): Promise<Tokenizer> =>
  tokenizerFromVocabAndMerges({ vocab: await readText(join(folder, 'vocab.json')), merges: await readText(join(folder, 'merges.txt')), source: folder })

export const openChatTemplate = async (path: string): Promise<ChatTemplate> => compileChatTemplate(await readText(path), { name: path })

/** @throws FormatError naming the file. */
export const parseJson = (text: string, source: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new FormatError(`expected JSON (${cause instanceof Error ? cause.message : String(cause)})`, { source }, { cause })
  }
}
