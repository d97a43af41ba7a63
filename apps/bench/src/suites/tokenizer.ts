// Byte-level BPE: training on and encoding English text, one thread.
import type { Tokenizer } from '@weft/contracts'
import { tokenizerToJson, trainTokenizer } from '@weft/tokenizer'
import { benchDocuments, sizeBytesOf } from '../corpus.ts'
import { interleaved, type Subject } from '../measure.ts'
import { measurementsOf } from '../measurements.ts'
import { startPythonPeer } from '../python-peer.ts'
import type { Suite } from '../suite.ts'

const trained = async (texts: readonly string[], vocabSize: number): Promise<Tokenizer> => {
  for await (const event of trainTokenizer({ algorithm: 'bpe', texts, vocabSize })) if (event.kind === 'finished') return event.tokenizer
  throw new Error('training ended without a tokenizer')
}

export const tokenizer: Suite = {
  name: 'tokenizer',
  about: 'byte-level BPE: training and encoding, MB/s, one thread',
  async *run({ runs, isQuick, withPeers, note }) {
    const documents = benchDocuments(isQuick ? 60_000 : 8_000_000)
    const texts = documents.map(({ text }) => text)
    const sizeBytes = sizeBytesOf(documents)
    const vocabSize = isQuick ? 400 : 8000
    const ours = await trained(texts, vocabSize)
    const peer = withPeers ? await startPythonPeer('tokenizers_peer.py', 'tokenizers', note) : undefined
    try {
      await peer?.ask({ kind: 'texts', texts })
      const training: Subject[] = [{ name: 'weft', run: () => trained(texts, vocabSize).then(() => sizeBytes) }]
      if (peer !== undefined) training.push({ name: peer.name, run: () => peer.ask({ kind: 'train', vocabulary: vocabSize }).then(() => sizeBytes) })
      yield* measurementsOf('tokenizer', `train ${vocabSize} on ${(sizeBytes / 1e6).toFixed(1)} MB`, 'MB/s', 1e6, await interleaved(training, { runs }))

      await peer?.ask({ kind: 'load', json: JSON.stringify(tokenizerToJson(ours)) })
      const encodeAll = (): number => {
        for (const text of texts) ours.encode(text)
        return sizeBytes
      }
      const encoding: Subject[] = [{ name: 'weft', run: encodeAll }]
      if (peer !== undefined) encoding.push({ name: peer.name, run: () => peer.ask({ kind: 'encode' }).then(() => sizeBytes) })
      yield* measurementsOf('tokenizer', 'encode documents of 4,000 characters', 'MB/s', 1e6, await interleaved(encoding, { runs }))
    } finally {
      peer?.close()
    }
  },
}
