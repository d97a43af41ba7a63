export { referenceRun, type Deviation, type ReferenceFolder } from './testing/reference-run.ts'
export { adapterReferenceRun } from './testing/adapter-reference-run.ts'
