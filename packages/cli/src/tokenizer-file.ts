// A tokenizer by its path, and a chat template by its.
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ConfigError, FormatError, type Tokenizer } from '@weft/contracts'
import { compileChatTemplate, tokenizerFromGguf, type ChatTemplate } from '@weft/tokenizer'
import { tokenizerFiles, tokenizerFromFile, tokenizerFromFolder, type ReadTokenizerFile } from '@weft/tokenizer/formats'
import { openWeights } from '@weft/weights/node'

// The largest published tokenizer.json has some 35 MB.
const maxBytes = 2 ** 28

const readBytes = async (path: string): Promise<Buffer> => {
  const info = await stat(path).catch(() => undefined)
  if (info === undefined) throw new ConfigError(`${path}: there is no such file`)
  if (info.isDirectory()) throw new ConfigError(`${path}: expected a file, got a folder`)
  if (info.size > maxBytes) throw new FormatError(`expected at most ${maxBytes} bytes, got ${info.size}`, { source: path })
  return readFile(path)
}

const readText = async (path: string): Promise<string> => (await readBytes(path)).toString('utf8')

const isFile = (path: string): Promise<boolean> => stat(path).then((info) => info.isFile(), () => false)

const readFrom =
  (folder: string): ReadTokenizerFile =>
  async (name) => {
    const path = join(folder, name)
    return (await isFile(path)) ? readBytes(path) : undefined
  }

/** A folder with one of the usual files, one of these files (tokenizer.json, tokenizer.model, tekken.json, …), or a GGUF file. */
export const openTokenizer = async (path: string): Promise<Tokenizer> => {
  const info = await stat(path).catch(() => undefined)
  if (info === undefined) throw new ConfigError(`${path}: there is no such file or folder`)
  if (!info.isDirectory()) return path.endsWith('.gguf') ? fromGguf(path) : tokenizerFromFile(basename(path), await readBytes(path), readFrom(dirname(path)), folderOf(path))
  const tokenizer = await tokenizerFromFolder(readFrom(path), path)
  if (tokenizer !== undefined) return tokenizer
  throw new ConfigError(`${path}: expected ${tokenizerFiles.map(({ name, beside }) => (beside === undefined ? name : `${name} and ${beside}`)).join(', ')}; none of them is there`)
}

/** Undefined where a file is named alone, so that errors name it as it was given. */
const folderOf = (path: string): string | undefined => (dirname(path) === '.' && !path.startsWith('.') ? undefined : dirname(path))

const fromGguf = async (path: string): Promise<Tokenizer> => {
  const weights = await openWeights(path)
  try {
    return tokenizerFromGguf(weights.metadata, { source: path })
  } finally {
    await weights.close()
  }
}

export const openChatTemplate = async (path: string): Promise<ChatTemplate> => compileChatTemplate(await readText(path), { name: path })

/** @throws FormatError naming the file. */
export const parseJson = (text: string, source: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new FormatError(`expected JSON (${cause instanceof Error ? cause.message : String(cause)})`, { source }, { cause })
  }
}
