export { curate, type CurateOptions, type CuratedDocument } from './curate.ts'
export { applyEdits, type ActiveStep, type Cut, type Decision, type Edit, type Span, type Step, type StepRun, type Verdict } from './step.ts'
export { summarizeCuration, type CurationCount, type CurationExample, type CurationSummary } from './curation-summary.ts'
export {
  auditBias,
  type AssociationAudit,
  type AuditOptions,
  type AuditSlice,
  type BiasReport,
  type ContrastAudit,
  type FamilyAudit,
  type GroupAudit,
} from './bias-audit.ts'
export type { Association, Share } from './association.ts'
export { counterfactualAugment, swapGender, type CounterfactualAugmentOptions } from './counterfactual-augment.ts'
export type { GenderSwapOptions } from './gender-swap.ts'
export { balance, reweigh, type BalanceOptions, type ReweighOptions } from './reweigh.ts'
export { dominantAttribute, dominantGroup, type Grouping } from './lexicon/dominant-group.ts'
export { defaultGroups } from './lexicon/groups.ts'
export { defaultAttributes } from './lexicon/attributes.ts'
export type { AttributeList, GroupFamily } from './lexicon/word-family.ts'
export { describeCuration } from './describe-curation.ts'
export { describeAudit } from './describe-audit.ts'
export { dataCard, type DataCard } from './data-card.ts'
