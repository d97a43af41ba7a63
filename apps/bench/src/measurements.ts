import { median, type Samples } from './measure.ts'
import type { Measurement } from './suite.ts'

/** Samples of one case as measurements, rates scaled into the unit. */
export const measurementsOf = (suite: string, caseName: string, unit: string, scale: number, samples: readonly Samples[]): Measurement[] =>
  samples.map(({ name, rates }) => {
    const runs = rates.map((rate) => rate / scale)
    return { suite, case: caseName, subject: name, value: median(runs), unit, runs, isRate: true }
  })
