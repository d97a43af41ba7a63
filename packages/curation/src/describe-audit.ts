// The bias audit as a report.
import type { Json, Report, Section, SeriesPoint } from '@weft/contracts'
import type { BiasReport, ContrastAudit, FamilyAudit } from './bias-audit.ts'

const rounded = (value: number | null, digits = 3): Json => (value === null ? null : Number(value.toFixed(digits)))
const wordsShown = 20

/** Mentions, associations with their intervals, and the words that keep one group's company rather than the other's. */
export const describeAudit = (audit: BiasReport, options: { readonly title?: string } = {}): Report => ({
  title: options.title ?? 'Bias audit',
  sections: [
    {
      kind: 'text',
      title: 'How to read this',
      markdown:
        `${audit.documents.toLocaleString('en-US')} documents with ${audit.words.toLocaleString('en-US')} words. Mentions are counted by word lists, so they miss some and hit some that mean something else. ` +
        `An association is the natural logarithm of how much more often words stand within ${audit.windowSize} words of a group than chance would have it; a contrast compares two groups. ` +
        'Ranges are 95 % intervals over blocks of text: one that holds 0 shows no difference. Numbers describe the text, not the people.',
    },
    pronounSection(audit),
    ...audit.families.filter(({ groups }) => groups.some(({ mentions }) => mentions > 0)).flatMap(familySections),
    ...sliceSections(audit),
  ],
})

const pronounSection = ({ pronouns: { female, male, neutral, femaleShare } }: BiasReport): Section => ({
  kind: 'table',
  title: 'Pronouns',
  columns: ['she, her …', 'he, him …', 'they, them …', 'female share', 'from', 'to'],
  rows: [[female, male, neutral, rounded(femaleShare.value), rounded(femaleShare.low), rounded(femaleShare.high)]],
})

const familySections = (family: FamilyAudit): Section[] => [
  {
    kind: 'table',
    title: `Mentions by ${family.name}`,
    columns: [family.name, 'mentions', 'documents', 'share', 'from', 'to', 'most frequent'],
    rows: family.groups.map(({ name, mentions, documents, share, terms }) => [
      name, mentions, documents, rounded(share.value), rounded(share.low), rounded(share.high), terms.slice(0, 5).map(({ term, count }) => `${term} ${count}`).join(', '),
    ]),
  },
  associationMap(family),
  ...contrastSections(family),
]

const associationMap = (family: FamilyAudit): Section => {
  const groups = family.groups.filter(({ mentions }) => mentions > 0).map(({ name }) => name)
  const attributes = [...new Set(family.associations.map(({ attribute }) => attribute))]
  const valueOf = (group: string, attribute: string): number => family.associations.find((one) => one.group === group && one.attribute === attribute)?.value ?? 0
  return {
    kind: 'heatMap',
    title: `Associations by ${family.name} (PMI in nats; 0 where there are none)`,
    rows: groups,
    columns: attributes,
    values: groups.map((group) => attributes.map((attribute) => Number(valueOf(group, attribute).toFixed(3)))),
  }
}

const contrastSections = ({ name, contrast: { groups, attributes, words } }: FamilyAudit): Section[] => {
  const [first, second] = groups
  const measured = attributes.filter(({ value }) => value !== null)
  if (measured.length === 0) return []
  return [
    { kind: 'bar', title: `${first} (above 0) or ${second} (below 0)`, xLabel: 'list', yLabel: `log ratio, ${name}`, series: [{ name: `${first} : ${second}`, points: measured.map(toPoint) }] },
    {
      kind: 'table',
      title: `Words nearer to ${first} or ${second}`,
      columns: ['word', 'list', `near ${first}`, `near ${second}`, 'log ratio', 'from', 'to', 'z'],
      rows: words.slice(0, wordsShown).map(({ word, attribute, counts, value, low, high, z }) => [word ?? '', attribute, counts[0], counts[1], rounded(value), rounded(low), rounded(high), rounded(z, 1)]),
    },
  ]
}

const toPoint = ({ attribute, value, low, high }: ContrastAudit): SeriesPoint => ({ x: attribute, y: value ?? 0, ...(low === null || high === null ? {} : { low, high }) })

const sliceSections = ({ by }: BiasReport): Section[] => {
  if (by === undefined) return []
  const values = [...by.values].sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0))
  const ratio = ({ female, male }: { female: number; male: number }): number => female / (female + male)
  return [
    {
      kind: 'line',
      title: `Female share of pronouns by ${by.key}`,
      xLabel: by.key,
      yLabel: 'share',
      series: [{ name: 'she, her …', points: values.filter(({ pronouns }) => pronouns.female + pronouns.male > 0).map(({ value, pronouns }) => ({ x: value, y: ratio(pronouns) })) }],
    },
    {
      kind: 'table',
      title: `Pronouns by ${by.key}`,
      columns: [by.key, 'documents', 'words', 'she, her …', 'he, him …', 'they, them …'],
      rows: values.map(({ value, documents, words, pronouns }) => [value, documents, words, pronouns.female, pronouns.male, pronouns.neutral]),
    },
  ]
}
