export { measureTokenizer, type MeasuredText, type SuspectToken, type TokenizerMeasures, type TokenizerReport } from './measure-tokenizer.ts'
export { measureFairness, type FairnessReport, type LanguageCost, type SentencePair } from './measure-fairness.ts'
export { describeTokenizer } from './describe-tokenizer.ts'
