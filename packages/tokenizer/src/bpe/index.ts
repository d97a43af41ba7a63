export { bpeFromJson } from './bpe-from-json.ts'
export type { ReadOptions as BpeFromJsonOptions } from '../formats/json-parts.ts'
