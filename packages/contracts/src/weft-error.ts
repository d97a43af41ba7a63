// One base class. Check `kind`, not `instanceof`: it survives two copies of the package in one process.

/** Where in a file something is wrong; whichever of the places is known. */
export interface ErrorPlace {
  readonly source?: string
  readonly line?: number
  readonly byteOffset?: number
  /** Path into a JSON value, for example `model.merges[12]`. */
  readonly path?: string
}

/**
 * The base of every error that Weft throws on purpose. Its message says where: what was expected, what was there, what to do.
 */
export class WeftError extends Error {
  readonly kind: string
  constructor(kind: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'WeftError'
    this.kind = kind
  }
}

/** An option or a configuration value is wrong: the caller can mend it. */
export class ConfigError extends WeftError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('config', message, options)
    this.name = 'ConfigError'
  }
}

/** A file from outside is broken or not what it claims to be. */
export class FormatError extends WeftError {
  readonly place: ErrorPlace
  constructor(message: string, place: ErrorPlace = {}, options?: { cause?: unknown }) {
    super('format', `${describePlace(place)}${message}`, options)
    this.name = 'FormatError'
    this.place = place
  }
}

/** Well-formed, but beyond what this build can do; the message names the feature. */
export class UnsupportedError extends WeftError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('unsupported', message, options)
    this.name = 'UnsupportedError'
  }
}

/** Whether `error` is a WeftError, of this kind where one is given; true across duplicate copies of the package. */
export const isWeftError = (error: unknown, kind?: string): error is WeftError =>
  error instanceof Error && 'kind' in error && typeof error.kind === 'string' && (kind === undefined || error.kind === kind)

const describePlace = (place: ErrorPlace): string => {
  const parts = [
    place.source,
    place.line === undefined ? undefined : `line ${place.line}`,
    place.byteOffset === undefined ? undefined : `byte ${place.byteOffset}`,
    place.path,
  ].filter((part) => part !== undefined)
  return parts.length === 0 ? '' : `${parts.join(', ')}: `
}
