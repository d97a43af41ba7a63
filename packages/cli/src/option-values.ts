// Option values: text from the shell into numbers and lists, or an error that says what was expected.
import { InvalidArgumentError } from 'commander'

const number = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text))

/** An integer from `low` to `high`. */
export const integer =
  (low = 0, high = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = number(text)
    if (Number.isSafeInteger(value) && value >= low && value <= high) return value
    throw new InvalidArgumentError(`Expected an integer ${high === Number.MAX_SAFE_INTEGER ? `from ${low} up` : `from ${low} to ${high}`}.`)
  }

/** A number from `low` to `high`. */
export const real =
  (low = 0, high = Infinity) =>
  (text: string): number => {
    const value = number(text)
    if (value >= low && value <= high && Number.isFinite(value)) return value
    throw new InvalidArgumentError(`Expected a number ${high === Infinity ? `from ${low} up` : `from ${low} to ${high}`}.`)
  }

/** Names with commas between them. */
export const names = (text: string): string[] => {
  const list = text.split(',').map((name) => name.trim())
  if (list.some((name) => name === '')) throw new InvalidArgumentError('Expected names with commas between them.')
  return list
}

/** Token ids with commas or spaces between them. */
export const tokenIds = (text: string): number[] => {
  const parts = text.split(/[\s,]+/).filter((part) => part !== '')
  if (parts.length === 0) throw new InvalidArgumentError('Expected token ids with commas between them, such as 1,2,3.')
  return parts.map(integer(0, 2 ** 32 - 1))
}

/** For an option that may be given several times. */
export const collect = (text: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), text]
