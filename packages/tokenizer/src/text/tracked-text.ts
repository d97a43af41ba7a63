// A text on its way through normalizers and pre-tokenizers, with the place in the original that every unit came from. The places are
// absent where nobody asks for offsets, so that each step can take a faster road. The rules of what comes from where are those of
// huggingface/tokenizers (tokenizer/normalizer.rs): a new character stands where the one before it stood, a character that swallows
// others keeps its own place alone.

/** Original UTF-16 range of every unit of a text. */
interface Origins {
  readonly starts: Int32Array
  readonly ends: Int32Array
}

export interface TrackedText {
  readonly text: string
  /** Absent: not asked for. */
  readonly origins?: Origins | undefined
  /** Where the text begins in the original. */
  readonly start: number
}

/** One step of normalization. It may return its argument where there is nothing to do. */
export type Normalizer = (input: TrackedText) => TrackedText

/** The range [start, start + text.length) of the original, unchanged. */
export const untouched = (text: string, start: number, isTracked: boolean): TrackedText => {
  if (!isTracked) return { text, start }
  const origins = { starts: new Int32Array(text.length), ends: new Int32Array(text.length) }
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    const isPair = (unit & 0xfc00) === 0xd800 && i + 1 < text.length
    origins.starts[i] = start + i
    origins.ends[i] = start + i + (isPair ? 2 : 1)
    if (!isPair) continue
    origins.starts[i + 1] = start + i
    origins.ends[i + 1] = start + i + 2
    i++
  }
  return { text, origins, start }
}

/** Writes a new text of which every unit is given its place. */
export interface TrackedWriter {
  /** A character with the place of the unit `from` of the old text; its start where there is none. */
  write(character: string, from: number): void
  finish(): TrackedText
}

export const trackedWriter = ({ text: old, origins, start }: TrackedText, length = old.length): TrackedWriter => {
  let starts = new Int32Array(length + 8)
  let ends = new Int32Array(length + 8)
  let used = 0
  const parts: string[] = []
  return {
    write: (character, from) => {
      if (used + character.length > starts.length) {
        starts = grown(starts, used + character.length)
        ends = grown(ends, used + character.length)
      }
      const isThere = from >= 0 && from < old.length && origins !== undefined
      for (let i = 0; i < character.length; i++) {
        starts[used] = isThere ? origins.starts[from]! : start
        ends[used++] = isThere ? origins.ends[from]! : start
      }
      parts.push(character)
    },
    finish: () => ({ text: parts.join(''), origins: { starts: starts.subarray(0, used), ends: ends.subarray(0, used) }, start }),
  }
}

const grown = (from: Int32Array, needed: number): Int32Array<ArrayBuffer> => {
  const to = new Int32Array(Math.max(from.length * 2, needed))
  to.set(from)
  return to
}

/**
 * A new text given character by character. `changes[i]` says what character i is to the old text: 0 it replaces the next one there,
 * 1 it is inserted, −n it replaces the next one, and the n behind that are gone. `removedFirst` characters are gone from the head.
 */
export const transformed = (input: TrackedText, characters: readonly string[], changes: readonly number[], removedFirst = 0): TrackedText => {
  const { text } = input
  if (input.origins === undefined) return { text: characters.join(''), start: input.start }
  const writer = trackedWriter(input)
  let at = 0
  const skip = (count: number): void => {
    for (; count > 0 && at < text.length; count--) at += text.codePointAt(at)! > 0xffff ? 2 : 1
  }
  skip(removedFirst)
  for (let i = 0; i < characters.length; i++) {
    const change = changes[i]!
    writer.write(characters[i]!, change > 0 ? at - 1 : at)
    if (change <= 0) skip(1 - change)
  }
  return writer.finish()
}

/** Keeps the characters for which `isKept` holds. */
export const filtered = (input: TrackedText, isKept: (character: string) => boolean): TrackedText => {
  const characters: string[] = []
  const changes: number[] = []
  let removed = 0
  let removedFirst = 0
  for (const character of input.text) {
    if (!isKept(character)) {
      removed++
      continue
    }
    if (characters.length === 0) removedFirst = removed
    else changes[changes.length - 1] = -removed
    characters.push(character)
    changes.push(0)
    removed = 0
  }
  if (changes.length > 0) changes[changes.length - 1] = -removed
  return transformed(input, characters, changes, removedFirst)
}

/** Replaces each character by what `map` makes of it; all that it makes stands where the character stood. */
export const mapped = (input: TrackedText, map: (character: string) => string): TrackedText => {
  const writer = trackedWriter(input)
  let at = 0
  for (const character of input.text) {
    writer.write(map(character), at)
    at += character.length
  }
  return writer.finish()
}

/** Puts `prefix` before the text, where the first character stands; nothing before an empty one. */
export const prepended = (input: TrackedText, prefix: string): TrackedText => {
  const { text, origins, start } = input
  if (text === '') return input
  if (origins === undefined) return { text: prefix + text, start }
  const starts = new Int32Array(prefix.length + text.length).fill(origins.starts[0]!, 0, prefix.length)
  const ends = new Int32Array(prefix.length + text.length).fill(origins.ends[0]!, 0, prefix.length)
  starts.set(origins.starts, prefix.length)
  ends.set(origins.ends, prefix.length)
  return { text: prefix + text, origins: { starts, ends }, start }
}

/** The stretch [from, to) of a text. */
export const sliced = ({ text, origins, start }: TrackedText, from: number, to: number): TrackedText => {
  if (from === 0 && to === text.length && origins === undefined) return { text, start }
  if (origins === undefined) return { text: text.slice(from, to), start: start + from }
  return {
    text: text.slice(from, to),
    origins: { starts: origins.starts.subarray(from, to), ends: origins.ends.subarray(from, to) },
    start: origins.starts[from] ?? start,
  }
}
