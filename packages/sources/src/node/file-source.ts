// A file as a ByteSource. The file stays open until `close`.
import { open, stat } from 'node:fs/promises'
import { ConfigError, FormatError } from '@weft/contracts'
import { checkRange, type ByteSource } from '../byte-source.ts'
import { withFileErrors } from './file-error.ts'

// The kernel reads at most 2^31 − 1 bytes in one call.
const maxReadBytes = 2 ** 30

/**
 * Opens a regular file for reading; pipes and devices are refused, since they have no size and may never end.
 * @throws ConfigError where there is no such file, it is no regular file, or it may not be read.
 */
export const fileSource = async (path: string): Promise<ByteSource> => {
  // Asked first, by its name: opening a pipe would wait for someone to write into it.
  const info = await withFileErrors(path, 'opening', () => stat(path))
  if (!info.isFile()) throw new ConfigError(`${path}: expected a file, got ${info.isDirectory() ? 'a folder' : 'a pipe or a device'}`)
  const handle = await withFileErrors(path, 'opening', () => open(path, 'r'))
  const { size: sizeBytes } = await handle.stat()
  let isOpen = true
  return {
    name: path,
    sizeBytes,
    read: async (offset, length, into) => {
      if (!isOpen) throw new ConfigError(`${path}: expected no read after close`)
      checkRange({ name: path, sizeBytes }, offset, length, into)
      const target = into ?? new Uint8Array(length)
      let done = 0
      while (done < length) {
        const wanted = Math.min(maxReadBytes, length - done)
        const { bytesRead } = await withFileErrors(path, 'reading', () => handle.read(target, done, wanted, offset + done))
        if (bytesRead === 0) {
          throw new FormatError(`expected the ${sizeBytes} bytes that it had when opened; the file has become shorter`, {
            source: path,
            byteOffset: offset + done,
          })
        }
        done += bytesRead
      }
      return target.subarray(0, length)
    },
    close: async () => {
      if (!isOpen) return
      isOpen = false
      await handle.close()
    },
  }
}
