export { trainTokenizer, type TokenizerTrainEvent, type TrainTokenizerOptions } from './train-tokenizer.ts'
export { tokenizerFromJson, type TokenizerFromJsonOptions } from './tokenizer-json.ts'
export { tokenizerToJson, type TokenizerJson } from './tokenizer-json-writer.ts'
export { tokenizerFromTiktoken, type TokenizerFromTiktokenOptions } from './tiktoken.ts'
export { tokenizerFromVocabAndMerges, type TokenizerFromVocabAndMergesOptions } from './vocab-and-merges.ts'
export type { SplitPattern } from './pre-tokenizer.ts'
export type { TokenRoles } from './token-roles.ts'
export { encodeWithOffsets, type EncodeWithOffsetsOptions, type EncodingWithOffsets } from './encode-with-offsets.ts'
export { decodeStream, type DecodeStream } from './decode-stream.ts'
export {
  chatMlTemplate,
  compileChatTemplate,
  type ChatTemplate,
  type RenderedChat,
  type RenderOptions,
  type TemplateMessage,
} from './chat-template.ts'
