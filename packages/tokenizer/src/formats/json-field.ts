// Reading values of a JSON file from outside: each access checks the type and knows the path, so that an error names the place.
import { FormatError, UnsupportedError } from '@weft/contracts'

export interface JsonField {
  readonly value: unknown
  readonly path: string
  get(name: string): JsonField
  isAbsent(): boolean
  object(): Record<string, unknown>
  items(): readonly JsonField[]
  string(): string
  stringOr(fallback: string): string
  booleanOr(fallback: boolean): boolean
  /** An integer in [0, limit). */
  index(limit: number): number
  wrong(expected: string): FormatError
  unsupported(what: string): UnsupportedError
}

export const jsonField = (value: unknown, path: string, source?: string): JsonField => {
  const place = { path: path === '' ? '(root)' : path, ...(source === undefined ? {} : { source }) }
  const wrong = (expected: string): FormatError => new FormatError(`expected ${expected}, got ${describe(value)}`, place)
  const isAbsent = (): boolean => value === undefined || value === null
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  const object = (): Record<string, unknown> => {
    if (!isObject) throw wrong('an object')
    return value as Record<string, unknown>
  }
  const string = (): string => {
    if (typeof value !== 'string') throw wrong('a string')
    return value
  }
  return {
    value,
    path,
    isAbsent,
    object,
    string,
    wrong,
    get: (name) => {
      const from = object()
      return jsonField(Object.hasOwn(from, name) ? from[name] : undefined, path === '' ? name : `${path}.${name}`, source)
    },
    items: () => {
      if (!Array.isArray(value)) throw wrong('an array')
      return value.map((item: unknown, i) => jsonField(item, `${path}[${i}]`, source))
    },
    stringOr: (fallback) => (isAbsent() ? fallback : string()),
    booleanOr: (fallback) => {
      if (isAbsent()) return fallback
      if (typeof value !== 'boolean') throw wrong('true or false')
      return value
    },
    index: (limit) => {
      if (!Number.isInteger(value) || (value as number) < 0 || (value as number) >= limit) throw wrong(`an integer from 0 to ${limit - 1}`)
      return value as number
    },
    unsupported: (what) => new UnsupportedError(`${source === undefined ? '' : `${source}, `}${place.path}: ${what} is not supported`),
  }
}

const describe = (value: unknown): string => {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value) ?? typeof value
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/** The parsed text, or the value itself where it is not a string. */
export const parseJson = (json: unknown, source: string | undefined): unknown => {
  if (typeof json !== 'string') return json
  try {
    return JSON.parse(json.startsWith('\ufeff') ? json.slice(1) : json) as unknown
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'it does not parse'
    throw new FormatError(
      `expected JSON of ${json.length} characters, but ${reason}; a file that was cut off looks like this`,
      { path: '(root)', ...(source === undefined ? {} : { source }) },
      { cause },
    )
  }
}
