// Drops documents whose text occurred before. Streaming: the first one stays. A text is known by 64 bits of hash and its length,
// in typed arrays of 16 bytes a document (and its id, so that a drop can name what it repeats).
import { ConfigError } from '@weft/contracts'
import { createXxHash64 } from './hash/xx-hash64.ts'
import { checkNames } from './limits.ts'
import { simplifyText } from './simplify-text.ts'
import { keep, type Step } from './step.ts'

export interface ExactDeduplicateOptions {
  /** What must be equal: the text as it is (the default), or without case, marks, accents, spacing and with every number a zero. */
  readonly compare?: 'text' | 'simplified'
}

/** Drops later copies of a text; `match` names the first. */
export const exactDeduplicate = (options: ExactDeduplicateOptions = {}): Step => {
  const name = 'exactDeduplicate'
  checkNames(name, options, ['compare'])
  const { compare = 'text' } = options
  if (compare !== 'text' && compare !== 'simplified') throw new ConfigError(`${name}: compare: expected "text" or "simplified", got ${JSON.stringify(compare)}`)
  return {
    name,
    config: { compare },
    start: async () => {
      const fingerprint = createFingerprint()
      const seen = createFingerprintTable()
      const ids: string[] = []
      return {
        apply: (document) => {
          const text = compare === 'text' ? document.text : simplifyText(document.text)
          const first = seen.findOrAdd(...fingerprint(text))
          if (first < ids.length) return { drop: { rule: 'exact_duplicate', value: 1, threshold: 1, match: { documentId: ids[first]!, similarity: 1 } } }
          ids.push(document.id)
          return keep(document)
        },
      }
    },
  }
}

/** High and low half of the hash of the UTF-16 code units (lone surrogates are told apart), and the length. */
const createFingerprint = () => {
  const hasher = createXxHash64()
  let units = new Uint16Array(1 << 12)
  return (text: string): [high: number, low: number, length: number] => {
    if (units.length < text.length) units = new Uint16Array(text.length)
    for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i)
    hasher.hash(new Uint8Array(units.buffer), 0, text.length * 2)
    return [hasher.high, hasher.low, text.length]
  }
}

/** Numbers different fingerprints from 0 on, in the order of their first appearance. */
const createFingerprintTable = () => {
  let capacity = 1 << 10
  let slots = new Int32Array(capacity).fill(-1)
  let entries = new Int32Array(capacity * 3)
  let count = 0
  const place = (low: number, index: number): void => {
    let slot = low & (capacity - 1)
    while (slots[slot] !== -1) slot = (slot + 1) & (capacity - 1)
    slots[slot] = index
  }
  const grow = (): void => {
    capacity *= 2
    slots = new Int32Array(capacity).fill(-1)
    const larger = new Int32Array(capacity * 3)
    larger.set(entries)
    entries = larger
    for (let i = 0; i < count; i++) place(entries[i * 3 + 1]!, i)
  }
  return {
    findOrAdd: (high: number, low: number, length: number): number => {
      for (let slot = low & (capacity - 1); slots[slot] !== -1; slot = (slot + 1) & (capacity - 1)) {
        const index = slots[slot]!
        if (entries[index * 3] === high && entries[index * 3 + 1] === low && entries[index * 3 + 2] === length) return index
      }
      if (count * 2 >= capacity) grow()
      entries.set([high, low, length], count * 3)
      place(low, count)
      return count++
    },
  }
}
