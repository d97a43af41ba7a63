// A checkpoint store in memory: what a test saves, it can look at.
import { bytesSource, type ByteSource } from '@weft/sources'
import type { CheckpointStore } from '../src/index.ts'

export const memoryStore = (onWrite: () => void = () => undefined): CheckpointStore & { readonly saved: Map<string, Map<string, Uint8Array>> } => {
  const saved = new Map<string, Map<string, Uint8Array>>()
  return {
    saved,
    list: async () => [...saved.keys()].sort(),
    remove: async (name) => void saved.delete(name),
    read: async (name, file): Promise<ByteSource> => bytesSource(file, saved.get(name)!.get(file)!),
    write: async (name, files) => {
      const whole = new Map<string, Uint8Array>()
      for (const [file, content] of Object.entries(files)) {
        const chunks: Uint8Array[] = []
        if (content instanceof Uint8Array) chunks.push(content)
        else await content({ write: async (bytes) => void chunks.push(bytes.slice()), commit: async () => undefined, abort: async () => undefined })
        whole.set(file, new Uint8Array(Buffer.concat(chunks)))
      }
      onWrite()
      saved.set(name, whole)
    },
  }
}
