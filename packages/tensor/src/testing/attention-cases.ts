// Sample calls of attention and of the cache that it reads.
import type { Attrs, Slot } from '../backend.ts'
import { attentionOp } from '../ops/attention.ts'
import { kvAppendOp } from '../ops/kv-cache.ts'
import { asBfloat16, caseOf, withoutGradients, type CaseExtra } from './case-of.ts'
import type { OpCase, Samples, SampleTensor } from './op-case.ts'

interface Extras {
  readonly queryPositions?: SampleTensor
  readonly keyPositions?: SampleTensor
  readonly querySegments?: SampleTensor
  readonly keySegments?: SampleTensor
  readonly bias?: SampleTensor
  readonly sinks?: SampleTensor
}

const attends = (
  name: string,
  [B, Tq, Tk, H, K, Dh]: readonly [B: number, Tq: number, Tk: number, H: number, K: number, Dh: number],
  attrs: Attrs,
  extras: (s: Samples) => Extras = () => ({}),
  extra: CaseExtra = {},
): OpCase =>
  caseOf(
    attentionOp,
    name,
    { causal: true, window: 0, softcap: 0, scale: Dh ** -0.5, ...attrs },
    (s): readonly Slot<SampleTensor>[] => {
      const { queryPositions, keyPositions, querySegments, keySegments, bias, sinks } = extras(s)
      return [s.normal([B, Tq, H, Dh]), s.normal([B, Tk, K, Dh]), s.normal([B, Tk, K, Dh]), queryPositions, keyPositions, querySegments, keySegments, bias, sinks]
    },
    extra,
  )

const rows: CaseExtra = { rows: ['q', 'k', 'v'] }

export const attentionCases: readonly OpCase[] = [
  attends('causal', [2, 5, 5, 2, 2, 4], {}, undefined, rows),
  attends('all see all', [2, 3, 6, 2, 2, 4], { causal: false }, undefined, rows),
  attends('grouped queries', [2, 4, 4, 6, 2, 3], {}, undefined, rows),
  attends('a suffix of the keys', [1, 2, 7, 2, 1, 4], {}),
  attends('one query', [3, 1, 6, 4, 2, 4], {}, undefined, rows),
  attends('window', [1, 6, 6, 2, 2, 4], { window: 3 }),
  attends('window, one query', [1, 1, 6, 2, 2, 4], { window: 3 }),
  attends('soft cap', [1, 4, 4, 2, 2, 4], { softcap: 2 }),
  attends('cache of equal lengths', [2, 2, 9, 2, 1, 4], { keyLengths: [6, 6] }),
  attends('cache of unequal lengths', [3, 2, 8, 2, 2, 4], { keyLengths: [8, 2, 5] }),
  attends('cache of unequal lengths, all see all', [2, 3, 6, 2, 2, 4], { causal: false, keyLengths: [4, 6] }),
  attends('positions: padding at the left', [2, 4, 4, 2, 2, 4], {}, (s) => ({
    queryPositions: s.values([2, 4], [0, 1, 2, 3, -1, -1, 0, 1], 'i32'),
    keyPositions: s.values([2, 4], [0, 1, 2, 3, -1, -1, 0, 1], 'i32'),
  }), { rows: ['q', 'k', 'v', 'queryPositions', 'keyPositions'] }),
  attends('positions: a ring cache', [1, 2, 5, 2, 2, 4], { window: 4 }, (s) => ({
    queryPositions: s.values([1, 2], [6, 7], 'i32'),
    keyPositions: s.values([1, 5], [5, 6, 7, 3, 4], 'i32'),
  })),
  attends('segments', [1, 6, 6, 2, 2, 4], {}, (s) => ({
    querySegments: s.values([1, 6], [0, 0, 1, 1, 1, 2], 'i32'),
    keySegments: s.values([1, 6], [0, 0, 1, 1, 1, 2], 'i32'),
  })),
  attends('bias by head', [2, 3, 4, 2, 2, 4], { causal: false }, (s) => ({ bias: s.normal([1, 2, 3, 4]) })),
  attends('bias by row, grouped', [2, 3, 4, 4, 2, 4], { causal: false }, (s) => ({ bias: s.normal([2, 1, 1, 4]) })),
  attends('bias and cache lengths', [2, 2, 5, 4, 2, 4], { keyLengths: [4, 3] }, (s) => ({ bias: s.normal([1, 4, 2, 5]) })),
  attends('sinks', [2, 4, 4, 4, 2, 4], { window: 2 }, (s) => ({ sinks: s.normal([4]) })),
  attends('sinks, soft cap and bias', [1, 3, 3, 2, 2, 4], { softcap: 3 }, (s) => ({ sinks: s.normal([2]), bias: s.normal([1, 2, 3, 3]) })),
  attends('a query that sees nothing', [1, 3, 4, 2, 2, 4], {}, (s) => ({ queryPositions: s.values([1, 3], [-1, 0, 3], 'i32'), keyPositions: s.values([1, 4], [0, 1, 2, 3], 'i32') })),
  attends('no keys', [2, 2, 0, 2, 2, 4], {}, undefined, withoutGradients),
  attends('no queries', [2, 0, 3, 2, 2, 4], {}, undefined, withoutGradients),
  attends('larger', [2, 33, 33, 4, 2, 16], {}, undefined, { gradients: false, rows: ['q', 'k', 'v'] }),
  caseOf(
    attentionOp,
    'bf16 cache',
    { causal: true, window: 0, softcap: 0, scale: 0.5 },
    (s) => [s.normal([1, 2, 2, 4]), asBfloat16(s, s.normal([1, 5, 1, 4])), asBfloat16(s, s.normal([1, 5, 1, 4])), undefined, undefined, undefined, undefined, undefined, undefined],
  ),
  caseOf(kvAppendOp, 'in the middle', { at: [2, 2] }, (s) => [s.normal([2, 6, 2, 3]), s.normal([2, 2, 2, 3])], withoutGradients),
  caseOf(kvAppendOp, 'at different places', { at: [0, 4, 1] }, (s) => [s.normal([3, 5, 1, 2]), s.normal([3, 1, 1, 2])], withoutGradients),
  caseOf(kvAppendOp, 'the whole cache', { at: [0] }, (s) => [s.normal([1, 3, 1, 2]), s.normal([1, 3, 1, 2])], withoutGradients),
  caseOf(kvAppendOp, 'nothing', { at: [3] }, (s) => [s.normal([1, 3, 1, 2]), s.normal([1, 0, 1, 2])], withoutGradients),
]
