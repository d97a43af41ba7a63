// Where a pattern matches in a text: start, end, start, end, … in UTF-16 units, in order and without overlap.

export type Matcher = (text: string) => readonly number[]

const none: readonly number[] = []

/** Finds a text as it stands. */
export const literalMatcher =
  (wanted: string): Matcher =>
  (text) => {
    let at = wanted === '' ? -1 : text.indexOf(wanted)
    if (at < 0) return none
    const matches: number[] = []
    for (; at >= 0; at = text.indexOf(wanted, at + wanted.length)) matches.push(at, at + wanted.length)
    return matches
  }

/** @param pattern has the flag g. An empty match right behind another match is none, as in Oniguruma. */
export const regexMatcher =
  (pattern: RegExp): Matcher =>
  (text) => {
    const matches: number[] = []
    let last = -1
    pattern.lastIndex = 0
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const end = match.index + match[0].length
      if (end > match.index || end !== last) matches.push(match.index, end)
      last = end
      if (match[0] === '') pattern.lastIndex += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1
    }
    return matches
  }
