export type { Json } from './json.ts'
export type { TextDocument } from './text-document.ts'
export type { DecodeOptions, EncodeOptions, Tokenizer } from './tokenizer.ts'
export type {
  CallOptions,
  ChatMessage,
  FinishEvent,
  GenerateRequest,
  LanguageModel,
  LogLikelihood,
  LogLikelihoodRequest,
  OutputFormat,
  RollingLogLikelihood,
  TextGenerateEvent,
  TokenLogProb,
} from './language-model.ts'
export type { GrammarState, TokenConstraint } from './token-constraint.ts'
export type { Report, Section, Series, SeriesPoint } from './report.ts'
export { createRandomSource, type RandomSource } from './random-source.ts'
export { ConfigError, FormatError, UnsupportedError, WeftError, isWeftError, type ErrorPlace } from './weft-error.ts'
