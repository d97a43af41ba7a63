// Which key a query sees, as numbers to add to the scores: 0 where it does, −10^30 where not.
import type { Device, Value } from '../device.ts'
import { optional, type Call } from '../kernel.ts'

export interface Mask {
  /** [B|1, 1, Tq, Tk] */
  readonly values: Value
  /** Pairs batch · Tq + query that see nothing. */
  readonly blind: readonly number[]
}

/** Far below any score, and finite: XNNPACK's softmax of nothing but −∞ would be NaN. */
const hidden = -1e30

interface Sizes {
  readonly B: number
  readonly Tq: number
  readonly Tk: number
}

/** One row of queries and keys, as host arrays. */
interface Rule {
  readonly causal: boolean
  /** 0: none. */
  readonly window: number
  /** Keys from here on are invisible. */
  readonly end: number
  readonly queryPosition: (i: number) => number
  readonly keyPosition: (j: number) => number
  readonly isSameSegment: (i: number, j: number) => boolean
}

/** The mask of a call, or undefined where every query sees every key. */
export const attentionMask = (device: Device, call: Call, { B, Tq, Tk }: Sizes): Mask | undefined => {
  const positions = [3, 4, 5, 6].map((slot) => optional(call, slot))
  const causal = call.attrs['causal'] === true
  const window = (call.attrs['window'] as number | undefined) ?? 0
  const lengths = call.attrs['keyLengths'] as readonly number[] | undefined
  const isRagged = lengths?.some((length) => length !== lengths[0]) === true
  const isPlain = positions.every((x) => x === undefined)
  if (isPlain && !isRagged && window === 0 && (!causal || Tq === 1)) return undefined
  const rows = isPlain && !isRagged ? 1 : B
  const values = device.allocate([rows, 1, Tq, Tk], 'f32')
  const [queryPositions, keyPositions, querySegments, keySegments] = positions.map((x) => (x === undefined ? undefined : rowReader(device.integers(x), x.shape)))
  const out = device.floats(values)
  const blind: number[] = []
  for (let b = 0; b < rows; b++) {
    const end = lengths?.[b] ?? Tk
    const rule: Rule = {
      causal,
      window,
      end,
      queryPosition: queryPositions === undefined ? (i) => i + end - Tq : (i) => queryPositions(b, i),
      keyPosition: keyPositions === undefined ? (j) => j : (j) => keyPositions(b, j),
      isSameSegment: querySegments === undefined || keySegments === undefined ? () => true : (i, j) => querySegments(b, i) === keySegments(b, j),
    }
    for (let i = 0; i < Tq; i++) if (!maskRow(out, (b * Tq + i) * Tk, Tk, i, rule)) blind.push(b * Tq + i)
  }
  return { values, blind: rows === B ? blind : blind.flatMap((i) => Array.from({ length: B }, (_, b) => b * Tq + i)) }
}

type ReadRow = (batch: number, index: number) => number

/** [B|1, T] */
const rowReader = (values: Int32Array, shape: readonly number[]): ReadRow => {
  const length = shape[1]!
  return shape[0] === 1 ? (_, i) => values[i]! : (b, i) => values[b * length + i]!
}

/** Writes one row and says whether the query sees anything. */
const maskRow = (out: Float32Array, at: number, Tk: number, i: number, rule: Rule): boolean => {
  const { causal, window, end, keyPosition, isSameSegment } = rule
  const query = rule.queryPosition(i)
  let seesSome = false
  for (let j = 0; j < Tk; j++) {
    const key = keyPosition(j)
    const isVisible = j < end && key >= 0 && (!causal || key <= query) && (window === 0 || query - key < window) && isSameSegment(i, j)
    out[at + j] = isVisible ? 0 : hidden
    seesSome ||= isVisible
  }
  return seesSome
}
