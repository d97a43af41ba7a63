import { median, type Samples } from './measure.ts'
import type { Measurement } from './suite.ts'

/** Samples of one case as measurements, rates scaled into the unit; `more` adds what a report draws. */
export const measurementsOf = (
  suite: string,
  caseName: string,
  unit: string,
  scale: number,
  samples: readonly Samples[],
  more: (sample: { readonly id: string | undefined; readonly value: number }) => Pick<Measurement, 'share' | 'work' | 'scaling'> = () => ({}),
): Measurement[] =>
  samples.map(({ name, id, rates }) => {
    const runs = rates.map((rate) => rate / scale)
    const value = median(runs)
    return { suite, case: caseName, subject: name, ...(id === undefined ? {} : { id }), value, unit, runs, isRate: true, ...more({ id, value }) }
  })
