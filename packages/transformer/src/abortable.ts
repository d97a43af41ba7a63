// Waiting that ends when the caller no longer wants the result.

/** The promise's outcome, or a rejection with `signal.reason` as soon as the signal fires; the work itself goes on unheard. */
export const abortable = async <T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  if (signal === undefined) return promise
  signal.throwIfAborted()
  let onAbort: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort!)
    promise.catch(() => undefined) // a read that fails after the abort concerns nobody
  }
}
