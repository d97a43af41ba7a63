// For benches: nothing here is needed to compute.
export { measurePeaks, type Peaks } from './measure-peaks.ts'
