// Near-duplicate removal by MinHash and locality-sensitive hashing (Broder 1997; Leskovec et al., Mining of Massive Datasets, ch. 3), with
// the signatures, clusters and kept documents of datatrove. Documents that agree in all hashes of at least one bucket are joined.
// Memory is some 30 bytes a document: signatures lie in scratch space, one file a bucket, and are matched bucket by bucket.
import { ConfigError } from '@weft/contracts'
import type { ByteSource, ScratchStore } from '@weft/sources'
import { createBufferedReader, createBufferedSink } from './document-spool.ts'
import { wordsOf, type WordOptions } from './word-options.ts'
import { checkInteger, checkNames } from './limits.ts'
import { createMinHashSigner } from './min-hash-signature.ts'
import { findBucketPairs } from './min-hash-buckets.ts'
import { simplifyText } from './simplify-text.ts'
import { keep, type ActiveStep, type Step, type StepRun } from './step.ts'
import { createUnionFind } from './union-find.ts'

const defaults = {
  /** Words in an n-gram; shorter documents are never duplicates. */
  ngramSize: 5,
  numBuckets: 14,
  hashesPerBucket: 8,
  /** Of the hash family; not the run's seed, so that signatures can be compared between runs. */
  seed: 1,
}

type Settings = typeof defaults & { readonly hash: 'xxhash64' | 'sha1-64' }

export type MinHashDeduplicateOptions = Partial<Settings> &
  /** The words of the simplified text. */ WordOptions

/**
 * Drops near-duplicates. Two documents with similarity s (Jaccard, of their n-grams) are found with probability
 * 1 − (1 − s^hashesPerBucket)^numBuckets: 0.92 at s = 0.8, 0.56 at 0.7 with the defaults. A decision's `value` is the estimated similarity to the
 * document that was kept, its `threshold` the similarity at which detection sets in, (1 / numBuckets)^(1 / hashesPerBucket): a chain of
 * near-duplicates can bring a document into a cluster whose kept document it resembles less.
 *
 * @throws ConfigError for settings out of range.
 */
export const minHashDeduplicate = (options: MinHashDeduplicateOptions = {}): Step => {
  const name = 'minHashDeduplicate'
  checkNames(name, options, [...Object.keys(defaults), 'hash', 'words'])
  const { words, ...given } = options
  const settings: Settings = { ...defaults, hash: 'xxhash64', ...given }
  checkInteger(name, 'ngramSize', settings.ngramSize, 1, 100)
  checkInteger(name, 'numBuckets', settings.numBuckets, 1, 1000)
  checkInteger(name, 'hashesPerBucket', settings.hashesPerBucket, 1, 1000)
  checkInteger(name, 'seed', settings.seed, 0, 2 ** 32 - 1)
  if (settings.hash !== 'xxhash64' && settings.hash !== 'sha1-64') throw new ConfigError(`${name}: hash: expected "xxhash64" or "sha1-64", got ${JSON.stringify(settings.hash)}`)
  return { name, config: { ...settings }, start: (run) => startDeduplication(settings, wordsOf(words ? { words } : {}), run) }
}

const bucketFile = (bucket: number): string => `bucket-${bucket}`
const sketchFile = 'sketches'

interface Duplicate {
  readonly documentId: string
  readonly similarity: number
}

const startDeduplication = async (settings: Settings, split: ReturnType<typeof wordsOf>, run: StepRun): Promise<ActiveStep> => {
  const { numBuckets, hashesPerBucket } = settings
  const numHashes = numBuckets * hashesPerBucket
  const signer = createMinHashSigner({ ...settings, numHashes })
  const sinks = await Promise.all(Array.from({ length: numBuckets }, async (_, bucket) => createBufferedSink(await run.scratch.create(bucketFile(bucket)), 1 << 16)))
  const sketches = createBufferedSink(await run.scratch.create(sketchFile))
  const encoder = new TextEncoder()
  const signed: number[] = [] // row of the files → index of the document
  let duplicates = new Map<number, Duplicate>()
  const threshold = (1 / numBuckets) ** (1 / hashesPerBucket)

  return {
    observe: async (document, index) => {
      const signature = signer.sign(split({ ...document, text: simplifyText(document.text) }))
      if (signature === undefined) return
      signed.push(index)
      const bytes = new Uint8Array(signature.buffer, signature.byteOffset, signature.byteLength)
      const step = hashesPerBucket * 8
      for (const [bucket, sink] of sinks.entries()) await sink.write(bytes.subarray(bucket * step, (bucket + 1) * step))
      await sketches.write(sketchRecord(signature, encoder.encode(JSON.stringify(document.id))))
    },
    seal: async () => {
      for (const sink of [...sinks, sketches]) await sink.commit()
      const clusters = await joinBuckets(run, settings, signed.length)
      const found = await describeDuplicates(run.scratch, clusters, signed.length, numHashes)
      duplicates = new Map(found.map(([row, duplicate]) => [signed[row]!, duplicate]))
      signed.length = 0
    },
    apply: (document, index) => {
      const match = duplicates.get(index)
      return match === undefined ? keep(document) : { drop: { rule: 'minhash_duplicate', value: match.similarity, threshold, match } }
    },
    close: async () => {
      for (const [bucket, sink] of sinks.entries()) {
        await sink.abort()
        await run.scratch.remove(bucketFile(bucket))
      }
      await sketches.abort()
      await run.scratch.remove(sketchFile)
    },
  }
}

type UnionFind = ReturnType<typeof createUnionFind>

const joinBuckets = async (run: StepRun, settings: Settings, rows: number): Promise<UnionFind> => {
  const clusters = createUnionFind(rows)
  for (let bucket = 0; bucket < settings.numBuckets; bucket++) {
    run.signal?.throwIfAborted()
    await withSource(run.scratch, bucketFile(bucket), async (source) => {
      for (const [left, right] of await findBucketPairs(source, rows, settings.hashesPerBucket)) clusters.union(left, right)
    })
    await run.scratch.remove(bucketFile(bucket))
  }
  return clusters
}

const withSource = async (scratch: ScratchStore, name: string, use: (source: ByteSource) => Promise<void>): Promise<void> => {
  const source = await scratch.open(name)
  try {
    await use(source)
  } finally {
    await source.close?.()
  }
}

/** The lowest byte of every hash (b-bit minwise hashing, Li & König 2010), the length of the id, the id as JSON. */
const sketchRecord = (signature: Uint32Array, id: Uint8Array): Uint8Array => {
  const numHashes = signature.length / 2
  const record = new Uint8Array(numHashes + 4 + id.length)
  for (let j = 0; j < numHashes; j++) record[j] = signature[j * 2]! & 0xff
  new DataView(record.buffer).setUint32(numHashes, id.length, true)
  record.set(id, numHashes + 4)
  return record
}

/** Two passes over the sketches: first those of the kept documents are gathered, then the others are compared with them. */
const describeDuplicates = async (scratch: ScratchStore, clusters: UnionFind, rows: number, numHashes: number): Promise<[row: number, Duplicate][]> => {
  const kept = new Map<number, { id: string; sketch: Uint8Array }>()
  const found: [number, Duplicate][] = []
  const decoder = new TextDecoder()
  const forEachSketch = (visit: (row: number, sketch: Uint8Array, id: Uint8Array) => void) =>
    withSource(scratch, sketchFile, async (source) => {
      const reader = createBufferedReader(source)
      for (let row = 0; row < rows; row++) {
        const head = (await reader.read(numHashes + 4)).slice()
        const idLength = new DataView(head.buffer).getUint32(numHashes, true)
        visit(row, head.subarray(0, numHashes), await reader.read(idLength))
      }
    })
  await forEachSketch((row, sketch, id) => {
    if (clusters.find(row) === row && clusters.size(row) > 1) kept.set(row, { id: JSON.parse(decoder.decode(id)) as string, sketch })
  })
  if (kept.size === 0) return found
  await forEachSketch((row, sketch) => {
    const original = kept.get(clusters.find(row))
    if (original === undefined || clusters.find(row) === row) return
    found.push([row, { documentId: original.id, similarity: estimateSimilarity(sketch, original.sketch) }])
  })
  return found
}

/** Share of equal bytes, less those that agree by chance (1 in 256). */
const estimateSimilarity = (a: Uint8Array, b: Uint8Array): number => {
  let equal = 0
  for (let j = 0; j < a.length; j++) if (a[j] === b[j]) equal++
  const chance = 1 / 256
  return Math.max(0, (equal / a.length - chance) / (1 - chance))
}
