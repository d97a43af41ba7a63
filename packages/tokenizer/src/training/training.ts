// What every way of training is to the loop that feeds it: it takes texts one by one, then learns step by step.
import type { Tokenizer } from '@weft/contracts'

export interface Training {
  /** Counts a text; returns its length in bytes. */
  add(text: string): number
  /** How the steps of learning are called, and what their numbers mean: tokens made, or pieces left. */
  readonly phase: 'merge' | 'prune'
  /** Where the numbers lead. */
  readonly total: number
  learn(): Generator<number, { readonly tokenizer: Tokenizer; readonly reached: number }>
}
