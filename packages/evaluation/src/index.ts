export { evaluate, type EvaluateOptions } from './evaluate.ts'
export type { EvaluationEvent, EvaluationReport, MetricResult, SampleResult, TaskResult } from './evaluation-report.ts'
