// A file behind an address, read by ranges (RFC 9110, section 14). Knows no repository layout and keeps no cache.
import { ConfigError, FormatError, UnsupportedError, WeftError } from '@weft/contracts'
import { checkRange, type ByteSource } from './byte-source.ts'

export interface UrlOptions {
  /** For each request, for example an authorization. */
  readonly headers?: Readonly<Record<string, string>>
  /** The platform's by default. */
  readonly fetch?: typeof fetch
  /** Ends requests that are under way, and refuses later ones. */
  readonly signal?: AbortSignal
}

/**
 * A source that asks a server for the parts that are read. Opening asks for one byte, which tells the size and whether ranges work.
 * @throws UnsupportedError when the server ignores ranges: download the file, or fetch it whole and use bytesSource.
 * @throws ConfigError for an address that the server refuses (404, 403, …); WeftError of kind `network` when it cannot be reached
 * or fails; FormatError when it sends other bytes than asked for, or the file changed since it was opened.
 */
export const urlSource = async (url: string | URL, options: UrlOptions = {}): Promise<ByteSource> => {
  const name = String(url)
  const { signal } = options
  const send = options.fetch ?? fetch
  const request = async (headers: Readonly<Record<string, string>>): Promise<Response> => {
    signal?.throwIfAborted()
    let response: Response
    try {
      response = await send(name, { headers: { ...options.headers, ...headers }, ...(signal === undefined ? {} : { signal }) })
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason
      throw new WeftError('network', `${name}: the server cannot be reached (${error instanceof Error ? error.message : String(error)})`, { cause: error })
    }
    if (!response.ok && response.status !== 416) {
      await response.body?.cancel()
      const message = `${name}: the server answered ${response.status} ${response.statusText}`.trimEnd()
      throw response.status >= 500 || response.status === 429 ? new WeftError('network', message) : new ConfigError(message)
    }
    return response
  }
  const first = await request({ range: 'bytes=0-0' })
  await first.body?.cancel()
  const sizeBytes = sizeFrom(first, name)
  const version = first.headers.get('etag') ?? undefined
  return {
    name,
    sizeBytes,
    read: async (offset, length, into) => {
      checkRange({ name, sizeBytes }, offset, length, into)
      const target = into ?? new Uint8Array(length)
      if (length > 0) {
        const response = await request({ range: `bytes=${offset}-${offset + length - 1}` })
        checkPart(response, { name, offset, length, sizeBytes, version })
        await readBody(response, target.subarray(0, length), { name, offset, signal })
      }
      return target.subarray(0, length)
    },
  }
}

const sizeFrom = (response: Response, name: string): number => {
  const range = response.headers.get('content-range') ?? ''
  // An empty file has no byte 0: the range is refused, and the answer says so.
  const size = Number(/^bytes (?:0-0|\*)\/(\d+)$/.exec(range)?.[1] ?? NaN)
  if ((response.status === 206 || (response.status === 416 && size === 0)) && Number.isSafeInteger(size)) return size
  if (response.status === 206) throw new FormatError(`expected a content-range with the size, got ${JSON.stringify(range)}`, { source: name })
  throw new UnsupportedError(
    `${name}: the server does not answer ranges of bytes (status ${response.status}); download the file and open the copy, ` +
      'or fetch it whole and pass the bytes to bytesSource',
  )
}

const checkPart = (
  response: Response,
  expected: { readonly name: string; readonly offset: number; readonly length: number; readonly sizeBytes: number; readonly version: string | undefined },
): void => {
  const { name, offset, length, sizeBytes, version } = expected
  const wanted = `bytes ${offset}-${offset + length - 1}/${sizeBytes}`
  const got = response.headers.get('content-range')
  const gotVersion = response.headers.get('etag') ?? undefined
  const isSameVersion = version === undefined || gotVersion === undefined || version === gotVersion
  if (response.status === 206 && (got === null || got === wanted) && isSameVersion) return
  void response.body?.cancel()
  throw new FormatError(
    `expected ${wanted} of the file as it was when opened, got status ${response.status}, ${got ?? 'no content-range'}${isSameVersion ? '' : ', another version'}`,
    { source: name, byteOffset: offset },
  )
}

/** Fills `target`; a server that sends more is stopped at once. */
const readBody = async (
  response: Response,
  target: Uint8Array,
  place: { readonly name: string; readonly offset: number; readonly signal: AbortSignal | undefined },
): Promise<void> => {
  const reader = response.body?.getReader()
  let filled = 0
  try {
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
      if (done || value === undefined) break
      if (filled + value.length > target.length) filled = Infinity
      else {
        target.set(value, filled)
        filled += value.length
      }
      if (filled > target.length) break
    }
  } catch (error) {
    if (place.signal?.aborted === true) throw place.signal.reason
    throw new WeftError('network', `${place.name}: the connection broke after ${filled} of ${target.length} bytes at byte ${place.offset}`, { cause: error })
  } finally {
    await reader?.cancel().catch(() => undefined)
  }
  if (filled !== target.length) {
    const got = filled > target.length ? 'more' : String(filled)
    throw new FormatError(`expected ${target.length} bytes from the server, got ${got}`, { source: place.name, byteOffset: place.offset })
  }
}
