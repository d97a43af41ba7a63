import { WeftError } from '@weft/contracts'

/** Shapes of an operation's inputs do not fit. */
export class ShapeError extends WeftError {
  constructor(message: string) {
    super('shape', message)
    this.name = 'ShapeError'
  }
}

/** Element types of an operation's inputs do not fit; there is no silent promotion. */
export class DTypeError extends WeftError {
  constructor(message: string) {
    super('dtype', message)
    this.name = 'DTypeError'
  }
}

/** A tensor was used after dispose or after the tidy that made it ended. */
export class DisposedTensorError extends WeftError {
  constructor(message: string) {
    super('disposed', message)
    this.name = 'DisposedTensorError'
  }
}

/** A tensor was used after an operation consumed it. */
export class DonatedTensorError extends WeftError {
  constructor(message: string) {
    super('donated', message)
    this.name = 'DonatedTensorError'
  }
}
