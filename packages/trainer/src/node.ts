// Checkpoints in a folder of the file system.
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileSource, writeFiles } from '@weft/sources/node'
import { trainingStateFile, type CheckpointStore } from './checkpoint-store.ts'

/**
 * Each checkpoint is a folder below `path`, written under a temporary name and renamed when whole. What a killed process left behind is
 * never listed, and is removed by the next write.
 */
export const folderStore = (path: string): CheckpointStore => {
  const list = async (): Promise<string[]> => {
    const names = await readdir(path).catch(() => [])
    const whole = await Promise.all(names.map(async (name) => !name.startsWith('.') && (await stat(join(path, name, trainingStateFile)).catch(() => undefined)) !== undefined))
    return names.filter((_, i) => whole[i]).sort()
  }
  return {
    list,
    write: async (name, files) => {
      await mkdir(path, { recursive: true })
      await removeLeftovers(path)
      const isTaken = (await stat(join(path, name)).catch(() => undefined)) !== undefined
      if (isTaken) await replaceFolder(path, name, (staged) => writeFiles(staged, files))
      else await writeFiles(join(path, name), files)
    },
    read: (name, file) => fileSource(join(path, name, file)),
    remove: (name) => rm(join(path, name), { recursive: true, force: true }),
  }
}

/** An older run's checkpoint of this name stays until the new one is whole; only a kill between the two renames leaves neither. */
const replaceFolder = async (path: string, name: string, write: (staged: string) => Promise<void>): Promise<void> => {
  const [target, staged, old] = [join(path, name), join(path, `.weft-${name}-${process.pid}-0.tmp`), join(path, `.weft-${name}-${process.pid}-1.tmp`)]
  await rm(staged, { recursive: true, force: true })
  await rm(old, { recursive: true, force: true })
  await write(staged)
  await rename(target, old)
  try {
    await rename(staged, target)
  } catch (error) {
    await rename(old, target)
    throw error
  }
  await rm(old, { recursive: true, force: true })
}

/** Temporary folders carry the id of the process that made them. */
const removeLeftovers = async (path: string): Promise<void> => {
  for (const name of await readdir(path)) {
    const processId = /^\.weft-.*-(\d+)-\d+\.tmp$/.exec(name)?.[1]
    if (processId !== undefined && !isRunning(Number(processId))) await rm(join(path, name), { recursive: true, force: true })
  }
}

const isRunning = (processId: number): boolean => {
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
