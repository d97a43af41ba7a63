// A turn of the event loop: Ctrl-C is an event, and work that computes at once would never let it in.

export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
