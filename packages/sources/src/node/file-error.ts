// The operating system's errors in words, with the path. A full disk is a WeftError of kind `storage`; what the caller can mend in
// the path or its permissions is a ConfigError.
import { ConfigError, WeftError } from '@weft/contracts'

const storageReasons: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on the disk',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file is larger than this disk or user may have',
  EIO: 'the disk reported an error',
}

const pathReasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission was denied',
  EPERM: 'permission was denied',
  EROFS: 'the disk is read-only',
  EEXIST: 'a file of that name is in the way',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'it is a folder',
  EMFILE: 'too many files are open; close some',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'its symbolic links go round in a circle',
}

/** The code of a Node.js system error, or undefined. */
export const errorCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/** @param note what it means for the caller's data, for example that the earlier file is unchanged. */
export const fileError = (error: unknown, path: string, doing: string, note = ''): unknown => {
  const code = errorCode(error)
  if (code === undefined) return error
  const tail = note === '' ? '' : `; ${note}`
  const storage = storageReasons[code]
  if (storage !== undefined) return new WeftError('storage', `${path}: ${doing} failed: ${storage}${tail}`, { cause: error })
  const reason = pathReasons[code]
  return reason === undefined ? error : new ConfigError(`${path}: ${doing} failed: ${reason}${tail}`, { cause: error })
}

/** Runs `work`, its system errors put into words. */
export const withFileErrors = async <T>(path: string, doing: string, work: () => Promise<T>, note = ''): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    throw fileError(error, path, doing, note)
  }
}
