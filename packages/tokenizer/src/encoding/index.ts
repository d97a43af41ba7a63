export { encodeBatch, encodeDetailed, encodePair, type EncodeDetailedOptions } from './encode-detailed.ts'
export type { Encoding } from './encoding.ts'
export type { PaddingOptions, TruncationOptions } from './limits.ts'
