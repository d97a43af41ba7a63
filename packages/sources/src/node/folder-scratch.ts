// Scratch on the disk: a new folder inside the system's temporary folder or the one that the caller names.
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '@weft/contracts'
import { checkScratchName, type ScratchStore } from '../scratch-store.ts'
import { plainSink, temporaryName } from './atomic-sink.ts'
import { fileSource } from './file-source.ts'
import { withFileErrors } from './file-error.ts'

export interface FolderScratch extends ScratchStore {
  /** The folder that was made for this store. */
  readonly path: string
  /** Removes the folder with all that is in it. */
  dispose(): Promise<void>
}

/**
 * A scratch store on the disk. Call `dispose` at the end: nothing else removes its folder.
 * @param parent where to make the store's own folder; default the system's temporary folder.
 * @throws ConfigError where no folder can be made there; WeftError of kind `storage` from `write` on a full disk.
 */
export const folderScratch = async (parent: string = tmpdir()): Promise<FolderScratch> => {
  const path = await withFileErrors(parent, 'making a scratch folder', async () => {
    await mkdir(parent, { recursive: true })
    return mkdtemp(join(parent, 'weft-scratch-'))
  })
  const place = (name: string): string => {
    checkScratchName(name)
    return join(path, name)
  }
  return {
    path,
    create: async (name) => {
      const target = place(name)
      const temporary = temporaryName(target)
      const sink = await plainSink(temporary, { name: target, isDurable: false })
      let isDone = false
      return {
        write: sink.write,
        abort: sink.abort,
        commit: async () => {
          if (isDone) return
          await sink.commit()
          isDone = true
          await withFileErrors(target, 'writing', () => rename(temporary, target))
        },
      }
    },
    open: async (name) => {
      const target = place(name)
      await stat(target).catch(() => {
        throw new ConfigError(`scratch: no file named ${name}`)
      })
      return fileSource(target)
    },
    remove: async (name) => rm(place(name), { force: true }),
    dispose: async () => rm(path, { recursive: true, force: true }),
  }
}
