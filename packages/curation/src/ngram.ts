export { ngramLanguageModel } from './ngram/ngram-language-model.ts'
export { trainNgramModel, type NgramLevel, type NgramModel, type TrainNgramModelOptions } from './ngram/ngram-model.ts'
