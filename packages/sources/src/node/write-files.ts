// A folder of files that belong together (a model, a checkpoint): all of them or none.
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { ConfigError } from '@weft/contracts'
import type { ByteSink, FileContent } from '../byte-sink.ts'
import { flushFolder, plainSink, temporaryName } from './atomic-sink.ts'
import { errorCode, fileError, withFileErrors } from './file-error.ts'

/**
 * Writes all files into a temporary folder beside `folder`, flushes them to the disk, then moves them into place in one rename.
 * Where `folder` already holds files, each new one replaces its namesake by a rename of its own and all others stay; only a crash
 * between these renames, after everything was written, can leave new files beside old ones.
 * @param files name → content; names may have folders (`tokenizer/vocab.json`), `/` between them.
 * @throws ConfigError for a name that leaves the folder; WeftError of kind `storage` on a full disk. Then nothing has changed.
 */
export const writeFiles = async (
  folder: string,
  files: Readonly<Record<string, FileContent>>,
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> => {
  const { signal } = options
  signal?.throwIfAborted()
  const names = Object.keys(files)
  for (const name of names) checkName(name)
  const target = resolve(folder)
  const temporary = temporaryName(target)
  await withFileErrors(folder, 'writing', async () => {
    await mkdir(dirname(target), { recursive: true })
    await rm(temporary, { recursive: true, force: true }) // a killed process with our id may have left one
    await mkdir(temporary)
  })
  try {
    for (const name of names) {
      signal?.throwIfAborted()
      await mkdir(dirname(join(temporary, name)), { recursive: true })
      const sink = await plainSink(join(temporary, name), { name: join(folder, name), isDurable: true })
      await writeContent(sink, files[name]!)
    }
    signal?.throwIfAborted()
    await moveInto(temporary, target, names)
  } catch (error) {
    throw fileError(error, folder, 'writing', 'nothing of it was kept, what was there before is unchanged')
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
  await flushFolder(dirname(target))
}

const writeContent = async (sink: ByteSink, content: FileContent): Promise<void> => {
  try {
    if (content instanceof Uint8Array) await sink.write(content)
    else await content(writeOnly(sink))
    await sink.commit()
  } catch (error) {
    await sink.abort()
    throw error
  }
}

/** A writer that commits on its own would hide that it aborted. */
const writeOnly = (sink: ByteSink): ByteSink => ({
  write: sink.write,
  commit: async () => undefined,
  abort: async () => {
    throw new ConfigError('a file of writeFiles: expected the writer to throw in order to give up, it called abort()')
  },
})

const moveInto = async (temporary: string, target: string, names: readonly string[]): Promise<void> => {
  try {
    await rename(temporary, target) // an empty folder of this name is replaced
    return
  } catch (error) {
    const hasFolder = await readdir(target).then(
      () => true,
      () => false,
    )
    if (!hasFolder || !['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES'].includes(errorCode(error) ?? '')) throw error
  }
  for (const name of names) {
    await mkdir(dirname(join(target, name)), { recursive: true })
    await rename(join(temporary, name), join(target, name))
  }
  await flushFolder(target)
}

const checkName = (name: string): void => {
  const parts = name.split('/')
  const isInside = name !== '' && !isAbsolute(name) && !name.includes('\\') && !name.includes('\0') && !/^[A-Za-z]:/.test(name)
  if (!isInside || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new ConfigError(`writeFiles: expected a file name inside the folder, got ${JSON.stringify(name)}`)
  }
}
