// A turn of the event loop. Where a backend computes at once, every await of a training loop is a microtask: without a turn now and then
// neither Ctrl-C nor a timer nor a progress bar would be served.

/** Resolves after timers and events that are due have run. */
export const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
