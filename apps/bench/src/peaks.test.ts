import { expect, test } from 'vitest'
import { computePeak, peaksOf, shareOfBandwidth, shareOfPeak, threadCounts } from './peaks.ts'

const peaks = { threads: 2, fmaGflops: 200, bf16Gflops: 400, int8Gops: 800, readGBps: 40 }

test('thread counts: powers of two, and the most', () => {
  expect(threadCounts(1)).toEqual([1])
  expect(threadCounts(2)).toEqual([1, 2])
  expect(threadCounts(6)).toEqual([1, 2, 4, 6])
})

test('shares of the peak of each precision', () => {
  expect(shareOfPeak(peaks, 'f32', 150)).toEqual({ share: { of: 'the FMA peak', value: 0.75 } })
  expect(shareOfPeak(peaks, 'bf16', 100)).toEqual({ share: { of: 'the bf16 peak', value: 0.25 } })
  expect(shareOfBandwidth(peaks, 30)).toEqual({ share: { of: 'the memory bandwidth', value: 0.75 } })
})

test('a processor without narrow dot products computes them with float32', () => {
  expect(computePeak({ ...peaks, bf16Gflops: 0 }, 'bf16')).toEqual({ name: 'FMA peak', gflops: 200 })
})

test('no peaks, no shares', () => {
  expect(shareOfPeak(undefined, 'f32', 150)).toEqual({})
  expect(peaksOf([peaks], 1)).toBeUndefined()
})
