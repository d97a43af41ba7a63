// What a suite is and what it tells.

export interface Measurement {
  readonly suite: string
  readonly case: string
  /** Who did it: a Weft backend, a peer with its version. */
  readonly subject: string
  /** The median. */
  readonly value: number
  readonly unit: string
  /** Every run. */
  readonly runs: readonly number[]
  /** Whether more is better. */
  readonly isRate: boolean
}

export interface SuiteContext {
  /** Measured runs of each subject. */
  readonly runs: number
  /** Sizes that finish in seconds, for tests. */
  readonly isQuick: boolean
  /** Also run peers that are found installed. */
  readonly withPeers: boolean
  /** A line for people: what is skipped, and how to get it. */
  note(line: string): void
}

export interface Suite {
  readonly name: string
  readonly about: string
  run(context: SuiteContext): AsyncIterable<Measurement>
}
