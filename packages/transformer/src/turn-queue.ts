// Concurrent calls share one device: each step waits for its turn, first come, first served. A turn is one step, so that a slow reader
// of one stream does not hold up the others.

export interface TurnQueue {
  /** @throws signal.reason if it fires before the turn comes. */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>
}

export const turnQueue = (): TurnQueue => {
  let last: Promise<unknown> = Promise.resolve()
  return {
    run: (work, signal) => {
      const turn = last.then(() => {
        signal?.throwIfAborted()
        return work()
      })
      last = turn.catch(() => undefined)
      return turn
    },
  }
}
