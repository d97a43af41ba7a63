// Turns tokens' bytes into text as they come: incomplete characters wait for their other bytes, and text that may be the beginning of a stop
// string waits until it is clear.

export const createTextStream = (stop: readonly string[]) => {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const stops = stop.filter((text) => text !== '')
  let text = ''
  let given = 0
  /** Where the text may already belong to a stop string. */
  const safeEnd = (): number => {
    for (let start = Math.max(given, text.length - longest + 1); start < text.length; start++) {
      if (stops.some((one) => one.startsWith(text.slice(start)))) return start
    }
    return text.length
  }
  const longest = Math.max(0, ...stops.map((one) => one.length))
  return {
    /** @returns what may be shown now, and whether a stop string was met. */
    push: (bytes: Uint8Array, isLast: boolean): { text: string; isStopped: boolean } => {
      const searchFrom = Math.max(0, text.length - longest + 1)
      text += decoder.decode(bytes, { stream: !isLast })
      const found = stops.map((one) => text.indexOf(one, searchFrom)).filter((at) => at >= 0)
      const isStopped = found.length > 0
      if (isStopped) text = text.slice(0, Math.min(...found))
      const end = isLast || isStopped ? text.length : safeEnd()
      const shown = text.slice(given, end)
      given = Math.max(given, end)
      return { text: shown, isStopped }
    },
    text: () => text,
  }
}
