// JSON lines written to a file that appears whole or not at all, in pieces large enough for the disk.
import { atomicSink } from '@weft/sources/node'

const pieceCharacters = 1 << 16

export interface JsonLinesSink {
  write(value: unknown): Promise<void>
  commit(): Promise<void>
  abort(): Promise<void>
}

export const jsonLinesSink = async (path: string): Promise<JsonLinesSink> => {
  const sink = await atomicSink(path)
  const encoder = new TextEncoder()
  let pending: string[] = []
  let size = 0
  const flush = async (): Promise<void> => {
    const text = pending.join('')
    pending = []
    size = 0
    if (text !== '') await sink.write(encoder.encode(text))
  }
  return {
    write: async (value) => {
      const line = `${JSON.stringify(value)}\n`
      pending.push(line)
      size += line.length
      if (size >= pieceCharacters) await flush()
    },
    commit: async () => {
      await flush()
      await sink.commit()
    },
    abort: () => sink.abort(),
  }
}
