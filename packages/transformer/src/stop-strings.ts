// Stop strings in a text that arrives in pieces: what might be the beginning of one is held back until it is known.
import { ConfigError } from '@weft/contracts'

export interface StopFilter {
  /** What can be shown; nothing more once `hasStopped`. */
  push(text: string): string
  /** What was held back, at the end of the text. */
  flush(): string
  readonly hasStopped: boolean
}

/** @throws ConfigError for an empty stop string. */
export const stopFilter = (stops: readonly string[]): StopFilter => {
  if (stops.includes('')) throw new ConfigError('stop: an empty string would stop everywhere')
  let held = ''
  let hasStopped = false
  return {
    get hasStopped() {
      return hasStopped
    },
    push: (text) => {
      if (hasStopped) return ''
      held += text
      const start = firstStop(held, stops)
      if (start >= 0) {
        hasStopped = true
        const before = held.slice(0, start)
        held = ''
        return before
      }
      const keep = possibleStart(held, stops)
      const shown = held.slice(0, held.length - keep)
      held = held.slice(held.length - keep)
      return shown
    },
    flush: () => {
      const rest = held
      held = ''
      return rest
    },
  }
}

/** Where the stop string begins that is complete first (of those complete together the longest), or −1: however the text is cut. */
const firstStop = (text: string, stops: readonly string[]): number => {
  let [start, end] = [-1, Infinity]
  for (const stop of stops) {
    const index = text.indexOf(stop)
    if (index < 0 || index + stop.length > end || (index + stop.length === end && index > start)) continue
    ;[start, end] = [index, index + stop.length]
  }
  return start
}

/** The length of the longest end of the text that a stop string begins with. */
const possibleStart = (text: string, stops: readonly string[]): number => {
  let longest = 0
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(stop.slice(0, length))) longest = length
    }
  }
  return longest
}
