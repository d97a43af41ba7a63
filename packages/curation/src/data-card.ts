// A card for a data set after Gebru et al. 2021 (Datasheets for Datasets) and Pushkarna et al. 2022 (Data Cards): where the text comes from, what was
// done to it, what is in it, and what it should not be used for.
import type { Json, Report, Section } from '@weft/contracts'
import type { BiasReport } from './bias-audit.ts'
import type { CurationSummary } from './curation-summary.ts'
import { describeAudit } from './describe-audit.ts'
import { describeCuration } from './describe-curation.ts'
import type { Step } from './step.ts'

export interface DataCard {
  readonly name: string
  readonly description?: string
  readonly version?: string
  readonly sources?: readonly { readonly name: string; readonly url?: string; readonly license?: string; readonly documents?: number }[]
  readonly languages?: readonly string[]
  /** The steps as they were given to `curate`; their settings are recorded. */
  readonly steps?: readonly Pick<Step, 'name' | 'config'>[]
  readonly seed?: number
  readonly summary?: CurationSummary
  readonly audit?: BiasReport
  readonly intendedUses?: readonly string[]
  readonly limitations?: readonly string[]
  /** Anything else worth a line, for example who to write to. */
  readonly notes?: Readonly<Record<string, Json>>
}

/** The card as a report; sections without data are left out, and what is not stated is said to be. */
export const dataCard = (card: DataCard): Report => ({
  title: `Data card: ${card.name}`,
  sections: [
    { kind: 'text', title: 'What it is', markdown: [card.description ?? 'No description was given.', ...facts(card)].join('\n\n') },
    ...sourceSection(card),
    ...stepSection(card),
    ...(card.summary ? describeCuration(card.summary).sections : []),
    ...(card.audit ? describeAudit(card.audit).sections : []),
    listSection('Intended uses', card.intendedUses),
    listSection('Limitations', card.limitations),
    ...noteSection(card),
  ],
})

const facts = ({ version, languages, summary }: DataCard): string[] => [
  ...(version === undefined ? [] : [`Version ${version}.`]),
  ...(languages === undefined ? [] : [`Languages: ${languages.join(', ')}.`]),
  ...(summary === undefined ? [] : [`${summary.kept.documents.toLocaleString('en-US')} documents, ${summary.kept.characters.toLocaleString('en-US')} characters.`]),
]

const sourceSection = ({ sources = [] }: DataCard): Section[] =>
  sources.length === 0
    ? [{ kind: 'text', title: 'Sources', markdown: 'Not stated.' }]
    : [
        {
          kind: 'table',
          title: 'Sources',
          columns: ['source', 'address', 'licence', 'documents'],
          rows: sources.map(({ name, url, license, documents }) => [name, url ?? '–', license ?? 'not stated', documents ?? null]),
        },
      ]

const stepSection = ({ steps = [], seed }: DataCard): Section[] =>
  steps.length === 0
    ? []
    : [
        {
          kind: 'table',
          title: seed === undefined ? 'Steps' : `Steps (seed ${seed})`,
          columns: ['step', 'settings'],
          rows: steps.map(({ name, config }) => [name, config === undefined ? 'set by functions' : settingsOf(config)]),
        },
      ]

const longestSetting = 200 // a word list would fill the card

const settingsOf = (config: Json): string => {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) return JSON.stringify(config)
  return Object.entries(config as Record<string, Json>)
    .map(([key, value]) => {
      const text = JSON.stringify(value)
      return `${key} ${text.length <= longestSetting ? text : Array.isArray(value) ? `(${value.length} entries)` : '(long)'}`
    })
    .join(', ')
}

const listSection = (title: string, items: readonly string[] | undefined): Section => ({
  kind: 'text',
  title,
  markdown: items === undefined || items.length === 0 ? 'Not stated.' : items.map((item) => `- ${item}`).join('\n'),
})

const noteSection = ({ notes }: DataCard): Section[] =>
  notes === undefined ? [] : [{ kind: 'table', title: 'Notes', columns: ['what', ''], rows: Object.entries(notes).map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]) }]
