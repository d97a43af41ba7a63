// Where a text can be cut before it is merged without changing what comes out: between two units that stand side by side in no token,
// since a merge across the cut would make a token that holds both. Kept as one bit per hash of a pair; a collision only costs a cut.

import { pushPiece } from '../pre-tokenizers/pieces.ts'
import type { Cutter } from '../pre-tokenizers/piece-step.ts'

export interface MergeBarrier {
  /** The first place behind `from` where text[from, to) may be cut; `to` where there is none. */
  next(text: string, from: number, to: number): number
}

const bits = 22

const hashPair = (left: number, right: number): number => {
  const hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca77)
  return (hash ^ (hash >>> 15)) >>> (32 - bits)
}

/**
 * @param tokens all that merges can make.
 * @param isKnown whether a unit is a character that has a token. Where a run of unknown characters is one token, or they are left out
 *   and their neighbours meet, the text is cut between known ones alone.
 */
export const createMergeBarrier = (tokens: Iterable<string>, isKnown?: (unit: number) => boolean): MergeBarrier => {
  const joined = new Uint8Array(1 << (bits - 3))
  for (const token of tokens) {
    for (let i = 1; i < token.length; i++) {
      const hash = hashPair(token.charCodeAt(i - 1), token.charCodeAt(i))
      joined[hash >> 3]! |= 1 << (hash & 7)
    }
  }
  return {
    next: (text, from, to) => {
      let left = text.charCodeAt(from)
      for (let at = from + 1; at < to; at++) {
        const right = text.charCodeAt(at)
        const hash = hashPair(left, right)
        if ((joined[hash >> 3]! & (1 << (hash & 7))) === 0 && (right & 0xfc00) !== 0xdc00 && (isKnown === undefined || (isKnown(left) && isKnown(right)))) return at
        left = right
      }
      return to
    },
  }
}

const shortPiece = 32 // is remembered whole

/** Cuts pieces that are too long to be remembered. */
export const cutLong =
  (barrier: MergeBarrier): Cutter =>
  (text, from, to, output) => {
    if (to - from <= shortPiece) return pushPiece(output, from, to)
    for (let start = from; start < to; ) {
      const end = barrier.next(text, start, to)
      pushPiece(output, start, end)
      start = end
    }
  }
