// Files that appear whole or not at all: written beside their place under a temporary name, flushed to the disk, then renamed.
import { mkdir, open, realpath, rename, stat, unlink, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ConfigError } from '@weft/contracts'
import type { ByteSink } from '../byte-sink.ts'
import { errorCode, fileError, withFileErrors } from './file-error.ts'

/**
 * A file that takes its name at `commit`; until then, and after `abort`, a failed write or a crash, what had this name is as it
 * was. Missing folders on the way are made. A process that is killed may leave `.weft-*.tmp` beside the file, safe to delete.
 * @throws ConfigError where the path cannot be written to; WeftError of kind `storage` from `write` or `commit` on a full disk.
 */
export const atomicSink = async (path: string): Promise<ByteSink> => {
  // A link keeps pointing where it does: the file behind it is replaced.
  const target = await realpath(path).catch(() => path)
  if (await isFolder(target)) throw new ConfigError(`${path}: expected a file to write, got a folder`)
  const note = 'what was there before is unchanged'
  await withFileErrors(path, 'writing', () => mkdir(dirname(target), { recursive: true }))
  const temporary = await withFileErrors(path, 'writing', () => openTemporary(target), note)
  const sink = handleSink({ ...temporary, name: path, isDurable: true })
  return {
    write: sink.write,
    abort: sink.abort,
    commit: async () => {
      if (!(await sink.finish())) return
      try {
        await rename(temporary.path, target)
      } catch (error) {
        await unlink(temporary.path).catch(() => undefined)
        throw fileError(error, path, 'writing', note)
      }
      await flushFolder(dirname(target))
    },
  }
}

/**
 * Creates a file that must not exist yet; `commit` leaves it under this name.
 * @param options.name what errors call it. @param options.isDurable whether `commit` waits until the disk has it.
 */
export const plainSink = async (path: string, options: { readonly name: string; readonly isDurable: boolean }): Promise<ByteSink> => {
  const handle = await withFileErrors(options.name, 'writing', () => open(path, 'wx'))
  const sink = handleSink({ handle, path, ...options })
  return { write: sink.write, abort: sink.abort, commit: async () => void (await sink.finish()) }
}

/** A name for a temporary file or folder beside `path`; unique in this process, told from others by the process id. */
export const temporaryName = (path: string): string =>
  join(dirname(path), `.weft-${basename(path).slice(0, 100)}-${process.pid}-${counter++}.tmp`)

/** Makes a rename in this folder survive a power cut, where the platform can (Windows cannot open folders). */
export const flushFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}

let counter = 0

// Small writes (a JSON line) are gathered: one system call for each would cost more than the write.
const bufferBytes = 2 ** 16

interface OpenFile {
  readonly handle: FileHandle
  readonly path: string
  readonly name: string
  readonly isDurable: boolean
}

const handleSink = ({ handle, path, name, isDurable }: OpenFile) => {
  let state: 'open' | 'committed' | 'aborted' = 'open'
  const buffer = new Uint8Array(bufferBytes)
  let buffered = 0
  let written = 0

  const abort = async (): Promise<void> => {
    if (state !== 'open') return
    state = 'aborted'
    await handle.close().catch(() => undefined)
    await unlink(path).catch(() => undefined)
  }
  /** The file is removed at once: a full disk should not stay full because of us. */
  const orAbort = async (work: () => Promise<void>): Promise<void> => {
    if (state !== 'open') throw new ConfigError(`${name}: expected an open file, got one that was ${state}`)
    try {
      await work()
    } catch (error) {
      await abort()
      throw fileError(error, name, `writing after ${written} bytes`, 'nothing of it was kept, what was there before is unchanged')
    }
  }
  const writeAll = async (bytes: Uint8Array): Promise<void> => {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await handle.write(bytes, done, Math.min(2 ** 30, bytes.length - done))
      done += bytesWritten
      written += bytesWritten
    }
  }
  const flush = async (): Promise<void> => {
    const count = buffered
    buffered = 0
    await writeAll(buffer.subarray(0, count))
  }
  return {
    abort,
    write: (bytes: Uint8Array): Promise<void> =>
      orAbort(async () => {
        if (buffered + bytes.length > bufferBytes) await flush()
        if (bytes.length >= bufferBytes) await writeAll(bytes)
        else {
          buffer.set(bytes, buffered)
          buffered += bytes.length
        }
      }),
    /** Writes out what is buffered and closes; false when that happened before. */
    finish: async (): Promise<boolean> => {
      if (state === 'committed') return false
      await orAbort(async () => {
        await flush()
        if (isDurable) await handle.sync()
        await handle.close()
      })
      state = 'committed'
      return true
    },
  }
}

const openTemporary = async (target: string): Promise<{ handle: FileHandle; path: string }> => {
  for (;;) {
    const path = temporaryName(target)
    try {
      return { path, handle: await open(path, 'wx') }
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error // left by a killed process that had our id
    }
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  )
