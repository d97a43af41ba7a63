export { curate, type CurateOptions, type CuratedDocument } from './curate.ts'
export { applyEdits, type ActiveStep, type Cut, type Decision, type Edit, type Span, type Step, type StepRun, type Verdict } from './step.ts'
