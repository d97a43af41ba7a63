// A place for intermediate data that outgrows a variable: named byte files, gone when the work is done.
import { ConfigError } from '@weft/contracts'
import type { ByteSink } from './byte-sink.ts'
import { bytesSource, type ByteSource } from './byte-source.ts'
import { joinBytes } from './join-bytes.ts'

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
    const chunks: Uint8Array[] = []
    let sizeBytes = 0
    let state: 'open' | 'committed' | 'aborted' = 'open'
    const mustBeOpen = (): void => {
      if (state !== 'open') throw new ConfigError(`scratch file ${name}: expected an open file, got one that was ${state}`)
    }
    return {
      write: async (bytes) => {
        mustBeOpen()
        reserve(bytes.length)
        sizeBytes += bytes.length
        chunks.push(bytes.slice())
      },
      commit: async () => {
        if (state === 'committed') return
        mustBeOpen()
        state = 'committed'
        drop(name)
        files.set(name, joinBytes(chunks))
      },
      abort: async () => {
        if (state !== 'open') return
        state = 'aborted'
        usedBytes -= sizeBytes
        chunks.length = 0
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
