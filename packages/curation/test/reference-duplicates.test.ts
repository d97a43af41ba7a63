// Signatures, clusters, kept and removed documents of the reference's MinHash deduplication, bit for bit.
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { TextDocument } from '@weft/contracts'
import { curate } from '../src/curate.ts'
import { englishWords } from '../src/english/tokenize.ts'
import { createMinHashSigner, minHashParameters } from '../src/min-hash-signature.ts'
import { simplifyText } from '../src/simplify-text.ts'
import { minHashDeduplicate } from '../src/steps.ts'
import { golden, readGolden, readGoldenLines, referenceDocuments } from './reference.ts'

interface Run {
  readonly signatures: readonly { id: string; firstShingles: string[]; signature: string[] }[]
  readonly signatureSha256Prefix: Record<string, string | null>
  readonly clusters: readonly { kept: string; members: string[] }[]
  readonly removed: readonly string[]
  readonly nearDuplicates: readonly { id: string; of: string; jaccard: number }[]
}

describe.skipIf(golden.missing)(`the reference's near-duplicates${golden.note}`, () => {
  const reference = golden.missing ? undefined : (readGolden('minhash.json.gz') as { a: string[]; b: string[]; sha1: Run; xxhash: Run })
  const documents: TextDocument[] = golden.missing ? [] : [...referenceDocuments(), ...readGoldenLines<TextDocument>('near-duplicates.jsonl.gz')]
  const runs = [['xxhash64', 'xxhash'], ['sha1-64', 'sha1']] as const

  test('parameters', () => {
    const { a, b } = minHashParameters(1, 112)
    expect(a.map(String)).toEqual(reference!.a)
    expect(b.map(String)).toEqual(reference!.b)
  })

  test.each(runs)('%s: every signature', (hash, key) => {
    const signer = createMinHashSigner({ ngramSize: 5, numHashes: 112, seed: 1, hash })
    const found = documents.map(({ id, text }) => {
      const signature = signer.sign(englishWords(simplifyText(text)))
      return [id, signature ? createHash('sha256').update(new Uint8Array(signature.buffer)).digest('hex').slice(0, 16) : null]
    })
    expect(Object.fromEntries(found)).toEqual(reference![key].signatureSha256Prefix)
    for (const { id, firstShingles, signature } of reference![key].signatures) {
      const words = englishWords(simplifyText(documents.find((document) => document.id === id)!.text))
      expect(signer.shingles(words).slice(0, 5).map(String)).toEqual(firstShingles)
      const halves = signer.sign(words)!
      expect(signature.map((_, j) => String((BigInt(halves[2 * j + 1]!) << 32n) | BigInt(halves[2 * j]!)))).toEqual(signature)
    }
  })

  test.each(runs)('%s: what is removed, and for which document', async (hash, key) => {
    const removed: string[] = []
    const errors: number[] = []
    const { clusters, nearDuplicates } = reference![key]
    for await (const { document, decision } of curate({ documents, steps: [minHashDeduplicate({ hash })] })) {
      if (decision.kept) continue
      removed.push(document.id)
      expect(decision.match!.documentId).toBe(clusters.find(({ members }) => members.includes(document.id))!.kept)
      const known = nearDuplicates.find(({ id, of }) => id === document.id && of === decision.match!.documentId)
      if (known) errors.push(Math.abs(decision.value - known.jaccard))
    }
    // 112 hashes estimate a share with a standard deviation of at most 0.047.
    expect(errors.length).toBeGreaterThan(10)
    expect(Math.max(...errors)).toBeLessThan(0.2)
    expect(removed).toEqual(reference![key].removed)
  })
})
