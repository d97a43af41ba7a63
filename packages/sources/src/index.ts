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
export { memoryScratch, type ScratchStore } from './scratch-store.ts'
export { withProgress, type ReadProgress } from './progress.ts'
export { textLines, type LineOptions, type TextLine } from './text-lines.ts'
export { jsonLines, type JsonLine } from './json-lines.ts'
export { documentsFromJsonLines, type JsonDocumentOptions } from './json-documents.ts'
export type { OnSkipped, Skipped } from './skipped.ts'
