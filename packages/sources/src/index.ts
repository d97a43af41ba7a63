export {
  blobSource,
  bytesSource,
  readChunks,
  readWhole,
  type ByteInput,
  type ByteSource,
  type ByteStream,
} from './byte-source.ts'
export type { ByteSink, FileContent } from './byte-sink.ts'
export { gunzip } from './gunzip.ts'
export { documentsFromJsonLines, type JsonDocumentOptions } from './json-documents.ts'
export { jsonLines, type JsonLine } from './json-lines.ts'
export { plainText, type PlainTextOptions } from './plain-text.ts'
export { withProgress, type ReadProgress } from './progress.ts'
export { memoryScratch, type ScratchStore } from './scratch-store.ts'
export type { OnSkipped, Skipped } from './skipped.ts'
export { splitDocument, type SplitOptions } from './split-document.ts'
export { textLines, type LineOptions, type TextLine } from './text-lines.ts'
export { urlSource, type UrlOptions } from './url-source.ts'
