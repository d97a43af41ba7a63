// A set of code points, asked of a regular expression once per page of 256 and then a look-up in a table.

export interface CodePointSet {
  has(codePoint: number): boolean
}

/** @param pattern matches exactly the characters of the set; without the flag g. */
export const codePointSet = (pattern: RegExp): CodePointSet => {
  const pages: (Uint8Array | undefined)[] = new Array<Uint8Array | undefined>(0x1100).fill(undefined)
  const fill = (page: number): Uint8Array => {
    const flags = Uint8Array.from({ length: 256 }, (_, low) => (pattern.test(String.fromCodePoint(page * 256 + low)) ? 1 : 0))
    pages[page] = flags
    return flags
  }
  return { has: (codePoint) => (pages[codePoint >> 8] ?? fill(codePoint >> 8))[codePoint & 255] === 1 }
}

/** The code point at `at` and how many units it has; lone surrogates stand for themselves. */
export const codePointAt = (text: string, at: number): number => {
  const unit = text.charCodeAt(at)
  return (unit & 0xfc00) === 0xd800 ? text.codePointAt(at)! : unit
}
