// What a suite is, what it is given and what it tells.

/** Where a case stands between arithmetic and memory, for the roofline. */
export interface Work {
  /** Floating-point operations (or int8 ones) and bytes moved, of one unit of the measurement: a flop, a token, … */
  readonly flopsPerUnit: number
  readonly bytesPerUnit: number
  readonly precision: 'f32' | 'bf16' | 'int8'
}

/** A point of a plot over sizes, lengths or threads. */
export interface Scaling {
  /** Measurements with the same plot are drawn together, one line a subject. */
  readonly plot: string
  readonly xLabel: string
  readonly x: number
}

export interface Measurement {
  readonly suite: string
  readonly case: string
  /** Who did it: a Weft backend, a peer with its version. */
  readonly subject: string
  /** Short and without versions, the same in every run: what goals and colours go by. */
  readonly id?: string
  /** The median. */
  readonly value: number
  readonly unit: string
  /** Every run. */
  readonly runs: readonly number[]
  /** Whether more is better. */
  readonly isRate: boolean
  /** Share of a limit of this machine that the bench measured itself, 0 to 1. */
  readonly share?: { readonly of: string; readonly value: number }
  readonly work?: Work
  readonly scaling?: Scaling
}

/** A course over steps: a loss, a difference. */
export interface Curve {
  readonly suite: string
  /** Curves with the same plot are drawn together. */
  readonly plot: string
  readonly yLabel: string
  readonly name: string
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

export const isCurve = (result: Measurement | Curve): result is Curve => 'points' in result

export interface SuiteContext {
  /** Measured runs of each subject. */
  readonly runs: number
  /** Sizes that finish in seconds, for tests. */
  readonly isQuick: boolean
  /** Also run peers that are found installed. */
  readonly withPeers: boolean
  /** Threads of every side. */
  readonly threads: number
  /** A GGUF file for the suites that run a real model. */
  readonly modelPath?: string | undefined
  /** A line for people: what is skipped, and how to get it. */
  note(line: string): void
}

export interface Suite {
  readonly name: string
  readonly about: string
  run(context: SuiteContext): AsyncIterable<Measurement | Curve>
}
