export { defineTask } from './check-task.ts'
export { crowsPairs, winoBias, winogender } from './tasks/bias-data.ts'
export { stereotypeSuite } from './tasks/stereotype-suite.ts'
export type {
  Better,
  ContinuationItem,
  ContinuationTask,
  CustomMetric,
  FewShot,
  GenerationItem,
  GenerationMetric,
  GenerationTask,
  MultipleChoiceItem,
  MultipleChoiceTask,
  PerplexityItem,
  PerplexityTask,
  StereotypePair,
  StereotypePairsTask,
  Task,
} from './task.ts'
