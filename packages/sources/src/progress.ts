// Progress without the readers' help: a source that counts what is read through it.
import type { ByteSource } from './byte-source.ts'

/** How far reading has got, in bytes as stored, so that compressed files have a time left too. */
export interface ReadProgress {
  readonly name: string
  readonly readBytes: number
  readonly sizeBytes: number
}

/** The same source, telling `onProgress` after each read. Bytes read twice count twice, up to `sizeBytes`. */
export const withProgress = (source: ByteSource, onProgress: (progress: ReadProgress) => void): ByteSource => {
  const { name, sizeBytes } = source
  let readBytes = 0
  return {
    name,
    sizeBytes,
    read: async (offset, length, into) => {
      const bytes = await source.read(offset, length, into)
      readBytes = Math.min(sizeBytes, readBytes + length)
      onProgress({ name, readBytes, sizeBytes })
      return bytes
    },
    close: async () => source.close?.(),
  }
}
