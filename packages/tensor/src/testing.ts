export { backendMatrix, conformanceCases, describeBackend } from './testing/conformance.ts'
export type { BackendSuiteOptions, ConformanceCase, ConformanceGroup, ConformanceOptions, MatrixRow, TestRunner } from './testing/conformance.ts'
export type { CreateBackend } from './testing/run-case.ts'
export { createSamples, type OpCase, type Samples, type SampleTensor, type Tolerance } from './testing/op-case.ts'
