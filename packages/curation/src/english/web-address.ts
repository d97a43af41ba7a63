// Whether a chunk of text is a web address or an e-mail address that stays one token. Behaves as spaCy's URL rule, by parts, so that
// the work is linear. Longer chunks than any sensible address are not looked at.

const longestAddress = 2000 // what browsers and servers agree on; also bounds the work on rubbish

const scheme = /^[\p{L}\p{N}_+\-.]{2,}:\/\//u
const hostCharacters = 'A-Za-z0-9\\u00a1-\\uffff'
const namedHost = new RegExp(`^(?:(?:[${hostCharacters}][${hostCharacters}_\\-]{0,62})?[${hostCharacters}]\\.)+[\\p{Ll}\\p{Lo}]{2,63}(?::\\d{2,5})?(?:[/?#]\\S*)?$`, 'u')
const numericHost = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?::\d{2,5})?(?:[/?#]\S*)?$/

export const isWebAddress = (chunk: string): boolean => {
  if (chunk.length > longestAddress || !chunk.includes('.')) return false
  const found = scheme.exec(chunk)
  return (found !== null && isAuthority(chunk.slice(found[0].length))) || isAuthority(chunk)
}

/** With or without `user:password@`; whatever stands before an @ may be the user. */
const isAuthority = (text: string): boolean => {
  if (isHost(text)) return true
  for (let at = text.indexOf('@', 1), tries = 0; at >= 0 && tries < 8; at = text.indexOf('@', at + 1), tries++) {
    if (isHost(text.slice(at + 1))) return true
  }
  return false
}

const isHost = (text: string): boolean => namedHost.test(text) || isPublicNumericHost(text)

const isPublicNumericHost = (text: string): boolean => {
  const found = numericHost.exec(text)
  if (found === null) return false
  const parts = found.slice(1, 5)
  if (parts.slice(0, 3).some((part, i) => i !== 1 && i !== 2 && part.startsWith('0')) || parts[3]!.startsWith('0')) return false
  const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number)
  if (a < 1 || a > 223 || b > 255 || c > 255 || d < 1 || d > 254) return false
  return !(a === 10 || a === 127 || (a === 169 && b === 254) || (a === 192 && b === 168) || (a === 172 && b >= 16 && b <= 31))
}
