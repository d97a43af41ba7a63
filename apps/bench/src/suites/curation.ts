// Curation steps one by one and as a chain: documents a second, one thread.
import { curate, type Step } from '@weft/curation'
import { c4Quality, exactDeduplicate, gopherQuality, gopherRepetition, minHashDeduplicate, redactPersonalData } from '@weft/curation/steps'
import { benchDocuments } from '../corpus.ts'
import { interleaved } from '../measure.ts'
import { measurementsOf } from '../measurements.ts'
import type { Suite } from '../suite.ts'

export const curation: Suite = {
  name: 'curation',
  about: 'curation steps and the whole chain, documents/s',
  async *run({ runs, isQuick }) {
    const documents = benchDocuments(isQuick ? 40_000 : 2_000_000)
    const chains: Readonly<Record<string, () => Step[]>> = {
      gopherQuality: () => [gopherQuality()],
      gopherRepetition: () => [gopherRepetition()],
      c4Quality: () => [c4Quality()],
      exactDeduplicate: () => [exactDeduplicate()],
      minHashDeduplicate: () => [minHashDeduplicate()],
      redactPersonalData: () => [redactPersonalData()],
      'all of these': () => [gopherQuality(), gopherRepetition(), c4Quality(), exactDeduplicate(), minHashDeduplicate(), redactPersonalData()],
    }
    for (const [name, steps] of Object.entries(chains)) {
      const run = async (): Promise<number> => {
        let decided = 0
        for await (const item of curate({ documents: asAsync(documents), steps: steps() })) decided += item.document.id === '' ? 0 : 1
        return decided
      }
      yield* measurementsOf('curation', `${name}, documents of 4,000 characters`, 'documents/s', 1, await interleaved([{ name: 'weft', run }], { runs }))
    }
  },
}

async function* asAsync<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}
