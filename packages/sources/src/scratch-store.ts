// A place for intermediate data that outgrows a variable: named byte files, gone when the work is done.
import { ConfigError } from '@weft/contracts'
import type { ByteSink } from './byte-sink.ts'
import { bytesSource, type ByteSource } from './byte-source.ts'

/** Named files for the time of one run. Names are letters, digits, `.`, `_` and `-`, and do not begin with a dot. */
export interface ScratchStore {
  /** A file that `open` finds after commit; a file of the same name is then replaced. */
  create(name: string): Promise<ByteSink>
  /** @throws ConfigError where no file of this name was committed. */
  open(name: string): Promise<ByteSource>
  /** Does nothing where there is no such file. */
  remove(name: string): Promise<void>
  /** Removes everything. */
  dispose?(): Promise<void>
}

/**
 * A scratch store in memory.
 * @param options.maxBytes how much all its files may hold together; default 256 MiB, which fits beside a model in a browser tab.
 * @throws ConfigError from `write` beyond that, naming the option `scratch` of the caller.
 */
export const memoryScratch = (options: { readonly maxBytes?: number } = {}): ScratchStore => {
  const { maxBytes = 2 ** 28 } = options
  const files = new Map<string, Uint8Array>()
  let usedBytes = 0
  const drop = (name: string): void => {
    usedBytes -= files.get(name)?.length ?? 0
    files.delete(name)
  }
  const reserve = (sizeBytes: number): void => {
    if (usedBytes + sizeBytes > maxBytes) {
      throw new ConfigError(
        `scratch: expected the intermediate data to fit into ${maxBytes} bytes of memory, got more; pass another \`scratch\`, ` +
          'for example folderScratch() of @weft/sources/node, or memoryScratch({ maxBytes }) with a larger limit',
      )
    }
    usedBytes += sizeBytes
  }
  const create = async (name: string): Promise<ByteSink> => {
    checkScratchName(name)
    let chunks: Uint8Array[] | undefined = []
    let sizeBytes = 0
    return {
      write: async (bytes) => {
        if (chunks === undefined) throw new ConfigError(`scratch file ${name}: expected no write after commit or abort`)
        reserve(bytes.length)
        sizeBytes += bytes.length
        chunks.push(bytes.slice())
      },
      commit: async () => {
        if (chunks === undefined) return
        drop(name)
        files.set(name, concatenate(chunks, sizeBytes))
        chunks = undefined
      },
      abort: async () => {
        if (chunks === undefined) return
        usedBytes -= sizeBytes
        chunks = undefined
      },
    }
  }
  return {
    create,
    open: async (name) => {
      const bytes = files.get(name)
      if (bytes === undefined) throw new ConfigError(`scratch: no file named ${name}`)
      return bytesSource(name, bytes)
    },
    remove: async (name) => drop(name),
    dispose: async () => {
      for (const name of files.keys()) drop(name)
    },
  }
}

/** @throws ConfigError for a name that could be more than a plain file name. */
export const checkScratchName = (name: string): void => {
  // 200: file systems end at 255 bytes, and a temporary suffix must fit.
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/.test(name)) {
    throw new ConfigError(`scratch: expected a name of letters, digits, ".", "_", "-", got ${JSON.stringify(name)}`)
  }
}

/** One array out of many; the chunks are let go one by one, so that the peak is not twice the size for longer than needed. */
const concatenate = (chunks: Uint8Array[], sizeBytes: number): Uint8Array => {
  const [only] = chunks
  if (chunks.length === 1 && only !== undefined) return only
  const all = new Uint8Array(sizeBytes)
  let offset = 0
  for (const chunk of chunks) {
    all.set(chunk, offset)
    offset += chunk.length
  }
  return all
}
