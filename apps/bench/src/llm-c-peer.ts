// llm.c as a peer: its program speaks lines of words, answered in JSON (peers/llm_c_peer.c).
import { existsSync } from 'node:fs'
import type { TokenBatch } from '@weft/tensor'
import type { GptShape } from './gpt-shapes.ts'
import { startLinePeer, type LinePeer } from './line-peer.ts'
import { llmCProgram } from './peer-folder.ts'

/** Started with a model of this shape; undefined where it is not installed, with a note. */
export const startLlmC = async (
  shape: GptShape,
  batches: readonly TokenBatch[],
  options: { readonly threads: number; readonly weights: string; note(line: string): void },
): Promise<LinePeer | undefined> => {
  if (!existsSync(llmCProgram())) {
    options.note('skipped: llm.c is not installed; `npm run bench -- peers llm.c` fetches and compiles it')
    return undefined
  }
  const peer = startLinePeer('llm.c', llmCProgram(), [], { OMP_NUM_THREADS: String(options.threads) })
  try {
    const { layers, width, heads, vocabulary, length, batch } = shape
    await peer.ask(`create ${[layers, width, heads, vocabulary, length, batch, options.weights].join(' ')}`)
    const all = (pick: (one: TokenBatch) => Int32Array): string => batches.map((one) => pick(one).join(' ')).join(' ')
    await peer.ask(`batches ${batches.length} ${all(({ tokenIds }) => tokenIds)} ${all(({ targetIds }) => targetIds!)}`)
    return peer
  } catch (error) {
    peer.close()
    throw error
  }
}
