// E-mail and IP redaction equals the reference's; the other kinds are held to the marked sentences.
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { needsShared, readJsonLines } from '@weft/fixtures'
import { findEmailAddresses } from '../src/personal-data/email-address.ts'
import { findPersonalData, redactPersonalData, type PersonalDataKind } from '../src/steps.ts'
import { fixture, golden, readGolden, referenceDocuments, sha1, start, textAfter } from './reference.ts'

interface Row {
  readonly text: string
  readonly formatted: string
  readonly formattedAllIps: string
  readonly emails: [number, number][]
}

const kinds = ['emailAddress', 'ipAddress'] as const
const toUnits = (text: string, codePoints: number): number => [...text].slice(0, codePoints).join('').length

test.each((fixture('personal-data.json') as Row[]).map((row) => [row.text.slice(0, 60), row] as const))('%j', async (_, row) => {
  expect(await textAfter(redactPersonalData({ kinds }), row.text)).toBe(row.formatted)
  expect(await textAfter(redactPersonalData({ kinds, onlyPublicIpAddresses: false }), row.text)).toBe(row.formattedAllIps)
  expect(findEmailAddresses(row.text)).toEqual(row.emails.map((span) => span.map((at) => toUnits(row.text, at))))
})

const marked = needsShared('data/pii')

describe.skipIf(marked.missing)(`marked sentences${marked.note}`, () => {
  const sentences = marked.missing ? [] : (readJsonLines(join(marked.path, 'pii.jsonl')) as { text: string; spans: { type: string; start: number; end: number }[] }[])

  test.skipIf(golden.missing)(`one redaction over all documents and sentences${golden.note}`, async () => {
    const active = await start(redactPersonalData({ kinds }))
    const changed: { id: string; textSha1: string }[] = []
    for (const document of [...referenceDocuments(), ...sentences.map(({ text }, i) => ({ id: `pii-sentence-${String(i).padStart(3, '0')}`, text }))]) {
      const verdict = await active.apply(document, 0)
      if ('keep' in verdict && verdict.edits) changed.push({ id: document.id, textSha1: sha1(verdict.keep[0]!.text) })
    }
    const { stream } = readGolden('pii-formatter.json.gz') as { stream: { id: string; textSha1: string }[] }
    expect(changed).toEqual(stream.map(({ id, textSha1 }) => ({ id, textSha1 })))
  })

  // What the best of the reference recognizers reach on the same sentences: 1, 1, 0.957, 0.978, 1, 0.654.
  test.each<[string, PersonalDataKind, number]>([
    ['EMAIL_ADDRESS', 'emailAddress', 1],
    ['IP_ADDRESS', 'ipAddress', 1],
    ['IBAN_CODE', 'iban', 1],
    ['CREDIT_CARD', 'creditCard', 0.99],
    ['US_SSN', 'usSocialSecurityNumber', 1],
    ['PHONE_NUMBER', 'phoneNumber', 0.95],
  ])('%s: F1 of exact spans', (type, kind, atLeast) => {
    let [hits, wanted, found] = [0, 0, 0]
    for (const { text, spans } of sentences) {
      const gold = spans.filter((span) => span.type === type).map((span) => `${toUnits(text, span.start)},${toUnits(text, span.end)}`)
      const ours = findPersonalData(text).filter((finding) => finding.kind === kind).map(({ span }) => span.join())
      wanted += gold.length
      found += ours.length
      hits += ours.filter((span) => gold.includes(span)).length
    }
    expect((2 * hits) / (wanted + found)).toBeGreaterThanOrEqual(atLeast)
  })
})
