// The printable alphabet in which byte-level BPE files write their tokens: each of the 256 bytes is one character below U+0144.
// Printable Latin-1 bytes stand for themselves, the others follow from U+0100 in order (a space is Ġ, a line feed Ċ).
// Reference: openai/gpt-2, encoder.py, bytes_to_unicode.

const isPrintable = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff)

const otherBytes = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !isPrintable(byte))

/** Byte → the UTF-16 unit that writes it. */
const unitOfByte: Uint16Array = Uint16Array.from({ length: 256 }, (_, byte) =>
  isPrintable(byte) ? byte : 0x100 + otherBytes.indexOf(byte),
)

/** UTF-16 unit → the byte that it writes, −1 where it is not of the alphabet. Units from 0x144 on never are. */
export const byteOfUnit: Int16Array = new Int16Array(0x144).fill(-1)
for (let byte = 0; byte < 256; byte++) byteOfUnit[unitOfByte[byte]!] = byte

/** The bytes in the order of their characters: the order in which trainers number them. */
export const bytesInAlphabetOrder: readonly number[] = Array.from({ length: 256 }, (_, byte) => byte).sort(
  (a, b) => unitOfByte[a]! - unitOfByte[b]!,
)

/** A run of bytes written in the alphabet. */
export const toAlphabet = (bytes: Uint8Array): string => {
  let text = ''
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(unitOfByte[bytes[i]!]!)
  return text
}

const writtenCharacters = new Map<number, string>()

/** The bytes of a character in the alphabet. */
export const alphabetUnits = (codePoint: number): string => {
  const known = writtenCharacters.get(codePoint)
  if (known !== undefined) return known
  const written = toAlphabet(new TextEncoder().encode(String.fromCodePoint(codePoint)))
  if (writtenCharacters.size < 65_536) writtenCharacters.set(codePoint, written)
  return written
}
