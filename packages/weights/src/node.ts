export { openWeights, type OpenWeightsOptions } from './node/open-weights.ts'
