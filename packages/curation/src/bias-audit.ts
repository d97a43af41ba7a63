// What a corpus says of groups of people: how often they are mentioned, and in whose company. Associations are pointwise mutual information
// between mentions of a group and listed words nearby, with intervals that know that words come in clumps: texts are cut into blocks, and the
// delta method runs over blocks, not words.
import { ConfigError, type TextDocument } from '@weft/contracts'
import { association, contrast, share, type Association, type Share } from './association.ts'
import { createAuditCounter, pronounNames, type AuditCounter, type BlockCounts, type Tally } from './audit-counter.ts'
import { defaultAttributes } from './lexicon/attributes.ts'
import { defaultGroups } from './lexicon/groups.ts'
import type { AttributeList, GroupFamily } from './lexicon/word-family.ts'
import { checkInteger, checkNames } from './limits.ts'

export interface AuditOptions {
  /** Default: gender, religion, ethnicity, nationality and age, in English. */
  readonly groups?: readonly GroupFamily[]
  /** Default: occupations, career, family, science, arts, power and others, in English. */
  readonly attributes?: readonly AttributeList[]
  /** How many words apart a group and an attribute may stand to count as together; default 10. */
  readonly windowSize?: number
  /** A metadata key: mentions are also counted for each of its values, for example by year. */
  readonly by?: string
  /** A single word's association is reported from so many occurrences beside the two groups on; default 5. */
  readonly minCount?: number
  readonly signal?: AbortSignal
}

export interface GroupAudit {
  readonly name: string
  readonly mentions: number
  readonly documents: number
  /** Of all mentions of the family, with its 95 % interval. */
  readonly share: Share
  /** The most frequent terms. */
  readonly terms: readonly { readonly term: string; readonly count: number }[]
}

export interface AssociationAudit extends Association {
  readonly attribute: string
  readonly group: string
}

export interface ContrastAudit extends Association {
  readonly attribute: string
  /** A single word of the list; absent: the list as a whole. */
  readonly word?: string
  /** Occurrences near the first and the second group. */
  readonly counts: readonly [number, number]
}

export interface FamilyAudit {
  readonly name: string
  readonly groups: readonly GroupAudit[]
  /** Distance of the groups' shares from equal ones: ½ Σ |share − 1/G|, 0 to 1 − 1/G; null without mentions. */
  readonly totalVariation: number | null
  readonly associations: readonly AssociationAudit[]
  /** ln of how much more the attribute keeps company with the first group than with the second, given how often each is mentioned. */
  readonly contrast: { readonly groups: readonly [string, string]; readonly attributes: readonly ContrastAudit[]; readonly words: readonly ContrastAudit[] }
}

export interface BiasReport {
  readonly documents: number
  readonly words: number
  readonly windowSize: number
  readonly families: readonly FamilyAudit[]
  readonly pronouns: {
    readonly female: number
    readonly male: number
    readonly neutral: number
    /** Of the female and male ones. */
    readonly femaleShare: Share
  }
  readonly by?: { readonly key: string; readonly values: readonly AuditSlice[] }
}

export interface AuditSlice {
  readonly value: string
  readonly documents: number
  readonly words: number
  /** Family → group → mentions. */
  readonly mentions: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly pronouns: { readonly female: number; readonly male: number; readonly neutral: number }
}

const termsShown = 10
const maxSlices = 1000 // beyond it is no breakdown

/**
 * Audits a corpus for whom it mentions and how.
 *
 * @throws ConfigError for families or lists without words, or more than 1,000 values of `by`.
 * @see Caliskan, Bryson & Narayanan 2017 (word associations); Bordia & Bowman 2019 (PMI bias of a corpus); Kish 1965 (linearized variance)
 */
export const auditBias = async (documents: AsyncIterable<TextDocument> | Iterable<TextDocument>, options: AuditOptions = {}): Promise<BiasReport> => {
  checkNames('auditBias', options, ['groups', 'attributes', 'windowSize', 'by', 'minCount', 'signal'])
  const { groups: families = defaultGroups, attributes = defaultAttributes, windowSize = 10, by, minCount = 5, signal } = options
  checkInteger('auditBias', 'windowSize', windowSize, 1, 1000)
  checkInteger('auditBias', 'minCount', minCount, 1, Number.MAX_SAFE_INTEGER)
  checkLists(families, attributes)
  const counter = createAuditCounter(families, attributes, windowSize)
  const slices = new Map<string, Tally>()
  let numDocuments = 0
  let pending = 0
  for await (const document of documents) {
    signal?.throwIfAborted()
    numDocuments++
    const tally = counter.add(document.text)
    if (by !== undefined) addSlice(slices, by, document, tally)
    if ((pending += document.text.length + 2000) > 2_000_000) {
      pending = 0
      await new Promise((resolve) => setTimeout(resolve, 0)) // lets an abort through
    }
  }
  return report({ families, attributes, counter, numDocuments, windowSize, minCount, ...(by === undefined ? {} : { by, slices }) })
}

const checkLists = (families: readonly GroupFamily[], attributes: readonly AttributeList[]): void => {
  for (const { name, groups, contrast: pair } of families) {
    const names = Object.keys(groups)
    if (names.length < 2 || names.some((group) => groups[group]!.length === 0)) throw new ConfigError(`auditBias: groups: ${name}: expected at least two groups with terms`)
    for (const group of pair ?? []) if (!names.includes(group)) throw new ConfigError(`auditBias: groups: ${name}: contrast: no group ${group}; there are ${names.join(', ')}`)
  }
  for (const { name, words } of attributes) if (words.length === 0) throw new ConfigError(`auditBias: attributes: ${name}: expected at least one word`)
}

const addSlice = (slices: Map<string, Tally>, key: string, document: TextDocument, tally: Tally): void => {
  const raw = document.metadata?.[key]
  const value = raw === undefined || raw === null ? 'unknown' : typeof raw === 'string' ? raw : JSON.stringify(raw)
  const slice = slices.get(value)
  if (slice === undefined) {
    if (slices.size >= maxSlices) throw new ConfigError(`auditBias: by: ${key} has more than ${maxSlices} values; expected a key such as a year or a source`)
    slices.set(value, { ...tally, groups: [...tally.groups], pronouns: [...tally.pronouns] })
    return
  }
  slice.documents += tally.documents
  slice.words += tally.words
  for (const [i, count] of tally.groups.entries()) slice.groups[i]! += count
  for (const [i, count] of tally.pronouns.entries()) slice.pronouns[i]! += count
}

interface ReportParts {
  readonly families: readonly GroupFamily[]
  readonly attributes: readonly AttributeList[]
  readonly counter: AuditCounter
  readonly numDocuments: number
  readonly windowSize: number
  readonly minCount: number
  readonly by?: string
  readonly slices?: ReadonlyMap<string, Tally>
}

const sum = (values: Iterable<number>): number => {
  let total = 0
  for (const value of values) total += value
  return total
}

const report = (parts: ReportParts): BiasReport => {
  const { families, counter, numDocuments, windowSize, by, slices } = parts
  const { firstPronoun, termCounts } = counter
  const blocks = counter.blocks()
  const [female = 0, male = 0, neutral = 0] = pronounNames.map((_, i) => sum(termCounts[firstPronoun + i]!))
  const ofPronouns = (block: BlockCounts, i: number): number => block.lists.get(firstPronoun + i) ?? 0
  let first = 0
  const audits = families.map((family) => {
    const audit = auditFamily(family, first, parts)
    first += Object.keys(family.groups).length
    return audit
  })
  return {
    documents: numDocuments,
    words: counter.words(),
    windowSize,
    families: audits,
    pronouns: { female, male, neutral, femaleShare: share(blocks.map((block) => [ofPronouns(block, 0), ofPronouns(block, 0) + ofPronouns(block, 1)])) },
    ...(by !== undefined && slices ? { by: { key: by, values: [...slices].map(([value, tally]) => describeSlice(value, tally, families)) } } : {}),
  }
}

const describeSlice = (value: string, tally: Tally, families: readonly GroupFamily[]): AuditSlice => {
  let first = 0
  const mentions = families.map(({ name, groups }) => {
    const counts = Object.keys(groups).map((group) => [group, tally.groups[first++]!] as const)
    return [name, Object.fromEntries(counts)] as const
  })
  const [female = 0, male = 0, neutral = 0] = tally.pronouns
  return { value, documents: tally.documents, words: tally.words, mentions: Object.fromEntries(mentions), pronouns: { female, male, neutral } }
}

const auditFamily = (family: GroupFamily, first: number, parts: ReportParts): FamilyAudit => {
  const { counter } = parts
  const names = Object.keys(family.groups)
  const inFamily = (block: BlockCounts): number => sum(names.map((_, i) => block.lists.get(first + i) ?? 0))
  const groups = names.map((name, i): GroupAudit => {
    const counts = counter.termCounts[first + i]!
    const terms = family.groups[name]!.map((term, j) => ({ term, count: counts[j]! })).filter(({ count }) => count > 0)
    return {
      name,
      mentions: sum(counts),
      documents: counter.documentsWith[first + i]!,
      share: share(counter.blocks().map((block) => [block.lists.get(first + i) ?? 0, inFamily(block)])),
      terms: terms.sort((a, b) => b.count - a.count).slice(0, termsShown),
    }
  })
  const total = sum(groups.map(({ mentions }) => mentions))
  return {
    name: family.name,
    groups,
    totalVariation: total === 0 ? null : sum(groups.map(({ mentions }) => Math.abs(mentions / total - 1 / names.length))) / 2,
    associations: names.flatMap((group, i) => associationsOf(group, first + i, parts)),
    contrast: contrastOf(family, first, parts),
  }
}

const pairKey = (group: number, attribute: number, parts: ReportParts): number => group * parts.attributes.length + attribute

const associationsOf = (group: string, list: number, parts: ReportParts): AssociationAudit[] =>
  parts.attributes.map(({ name }, attribute) => {
    const key = pairKey(list, attribute, parts)
    const rows = parts.counter.blocks().map((block): [number, number, number, number] => [
      block.pairs.get(key) ?? 0,
      block.lists.get(parts.counter.numGroups + attribute) ?? 0,
      block.lists.get(list) ?? 0,
      block.words,
    ])
    return { attribute: name, group, ...association(rows, 2 * parts.windowSize) }
  })

const contrastOf = (family: GroupFamily, first: number, parts: ReportParts): FamilyAudit['contrast'] => {
  const names = Object.keys(family.groups)
  const pair = family.contrast ?? [names[0]!, names[1]!]
  const [a, b] = [first + names.indexOf(pair[0]), first + names.indexOf(pair[1])]
  const { counter } = parts
  const attributes = parts.attributes.map(({ name }, attribute): ContrastAudit => {
    const keys = [pairKey(a, attribute, parts), pairKey(b, attribute, parts)] as const
    const rows = counter.blocks().map((block): [number, number, number, number] => [
      block.pairs.get(keys[0]) ?? 0,
      block.pairs.get(keys[1]) ?? 0,
      block.lists.get(a) ?? 0,
      block.lists.get(b) ?? 0,
    ])
    return { attribute: name, counts: [sum(counter.near[a]![attribute]!), sum(counter.near[b]![attribute]!)], ...contrast(rows) }
  })
  const mentions = [sum(counter.termCounts[a]!), sum(counter.termCounts[b]!)] as const
  const words = parts.attributes.flatMap(({ name, words: list }, attribute) =>
    list.flatMap((word, i): ContrastAudit[] => {
      const counts = [counter.near[a]![attribute]![i]!, counter.near[b]![attribute]![i]!] as const
      if (counts[0] + counts[1] < parts.minCount) return []
      // Half an occurrence more on each side (Haldane–Anscombe), so that a word seen beside one group only has a finite value.
      return [{ attribute: name, word, counts, ...contrast([[counts[0] + 0.5, counts[1] + 0.5, mentions[0] + 0.5, mentions[1] + 0.5]], 'poisson') }]
    }),
  )
  return { groups: pair, attributes, words: words.sort((x, y) => Math.abs(y.z ?? 0) - Math.abs(x.z ?? 0)) }
}
