export { trainTokenizer, type TokenizerTrainEvent, type TrainTokenizerOptions } from './training/train-tokenizer.ts'
export { extendTokenizer, type ExtendedTokenizer, type ExtendTokenizerOptions, type NewToken } from './training/extend-tokenizer.ts'
export { tokenizerFromJson, type TokenizerFromJsonOptions } from './formats/tokenizer-json.ts'
export { tokenizerToJson, type TokenizerJson } from './formats/tokenizer-json-writer.ts'
export { tokenizerFromTiktoken, type TokenizerFromTiktokenOptions } from './formats/tiktoken.ts'
export { tokenizerFromGguf, type TokenizerFromGgufOptions } from './formats/gguf.ts'
export { tokenizerFromSentencePiece, type TokenizerFromSentencePieceOptions } from './formats/sentencepiece.ts'
export { tokenizerFromVocabAndMerges, type TokenizerFromVocabAndMergesOptions } from './formats/vocab-and-merges.ts'
export type { SplitPattern } from './pre-tokenizers/pre-tokenizer.ts'
export type { TokenRoles } from './tokenizer/token-roles.ts'
export { encodeWithOffsets, type EncodeWithOffsetsOptions, type EncodingWithOffsets } from './tokenizer/encode-with-offsets.ts'
export { decodeStream, type DecodeStream } from './tokenizer/decode-stream.ts'
export {
  chatMlTemplate,
  compileChatTemplate,
  type ChatTemplate,
  type RenderedChat,
  type RenderOptions,
  type TemplateMessage,
} from './chat/chat-template.ts'
