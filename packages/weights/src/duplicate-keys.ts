/**
 * The first key that a JSON object states twice, as a path; JSON.parse keeps the last one without a word. One pass, no recursion, no
 * regular expression (a string of megabytes overflows its stack).
 * @param text valid JSON.
 */
export const findDuplicateKey = (text: string): string | undefined => {
  const open: { readonly keys: Set<string> | undefined; last: string }[] = [] // keys: undefined in an array
  for (let at = 0; at < text.length; at++) {
    const token = text.charAt(at)
    if (token === '{') open.push({ keys: new Set(), last: '' })
    else if (token === '[') open.push({ keys: undefined, last: '[]' })
    else if (token === '}' || token === ']') open.pop()
    else if (token === '"') {
      const end = stringEnd(text, at)
      const here = open.at(-1)
      if (here?.keys !== undefined && isKey(text, end)) {
        here.last = JSON.parse(text.slice(at, end)) as string // "a" and "\u0061" are one key
        if (here.keys.has(here.last)) return open.map(({ last }) => last).join('.')
        here.keys.add(here.last)
      }
      at = end - 1 // strings are stepped over whole: a brace inside one counts for nothing
    }
  }
  return undefined
}

/** One after the closing quote of the string that opens at `from`. */
const stringEnd = (text: string, from: number): number => {
  let at = from + 1
  while (at < text.length && text.charAt(at) !== '"') at += text.charAt(at) === '\\' ? 2 : 1
  return at + 1
}

const isKey = (text: string, from: number): boolean => {
  let at = from
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++
  return text[at] === ':'
}
