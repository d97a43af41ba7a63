export { loadPretrained, type LoadPretrainedOptions, type Pretrained } from './node/load-pretrained.ts'
export { loadPretrainedAdapter, saveAdapter, saveModel } from './node/save-model.ts'
