// The measures of a tokenizer as a Report, for @weft/report to draw.
import type { Json, Report, Section } from '@weft/contracts'
import type { FairnessReport } from './measure-fairness.ts'
import type { TokenizerMeasures, TokenizerReport } from './measure-tokenizer.ts'

const shownSuspects = 100
const round = (value: number, digits = 3): number => Number(value.toFixed(digits))

/** @param fairness what `measureFairness` found; adds its table and plot. */
export const describeTokenizer = (report: TokenizerReport, options: { readonly title?: string; readonly fairness?: FairnessReport } = {}): Report => {
  const { all, byLanguage, byDomain, unused, suspects, vocabSize } = report
  const percent = vocabSize === 0 ? 0 : (unused.length / vocabSize) * 100
  return {
    title: options.title ?? 'Tokenizer',
    sections: [
      {
        kind: 'text',
        markdown: `${vocabSize} tokens. ${all.texts} texts: **${round(all.bytesPerToken)} bytes a token**, ${round(all.tokensPerWord)} tokens a word. ${unused.length} ordinary tokens (${round(percent, 1)} %) are in none of the texts.`,
      },
      measuresTable('All texts', [all]),
      ...(byLanguage.length === 0 ? [] : [measuresTable('By language', byLanguage)]),
      ...(byDomain.length === 0 ? [] : [measuresTable('By domain', byDomain)]),
      ...(options.fairness === undefined ? [] : fairnessSections(options.fairness)),
      ...(suspects.length === 0 ? [] : [suspectsTable(report)]),
    ],
  }
}

const measuresTable = (title: string, measures: readonly TokenizerMeasures[]): Section => ({
  kind: 'table',
  title,
  columns: ['', 'texts', 'bytes', 'tokens', 'bytes / token', 'characters / token', 'tokens / word', 'words split', 'unknown'],
  rows: measures.map(({ name, texts, bytes, tokens, bytesPerToken, charactersPerToken, tokensPerWord, splitWords, unknownShare }): Json[] => [
    name,
    texts,
    bytes,
    tokens,
    round(bytesPerToken),
    round(charactersPerToken),
    round(tokensPerWord),
    `${round(splitWords * 100, 1)} %`,
    `${round(unknownShare * 100, 2)} %`,
  ]),
})

const fairnessSections = ({ languages, greatest, least, mean }: FairnessReport): Section[] => [
  {
    kind: 'text',
    title: 'Fairness across languages',
    markdown: `The same sentence takes between ${round(least, 2)} and **${round(greatest, 2)} times** the tokens that it takes in English, ${round(mean, 2)} times on average over ${languages.length} languages.`,
  },
  {
    kind: 'bar',
    xLabel: 'language',
    yLabel: 'tokens relative to English',
    series: [{ name: 'premium', points: languages.map(({ language, premium, low, high }) => ({ x: language, y: premium, low, high })) }],
  },
  {
    kind: 'table',
    columns: ['language', 'sentences', 'tokens', 'English tokens', 'premium', 'median', 'premium in bytes'],
    rows: languages.map(({ language, sentences, tokens, englishTokens, premium, median, bytesPremium }): Json[] => [language, sentences, tokens, englishTokens, round(premium), round(median), round(bytesPremium)]),
  },
]

const suspectsTable = ({ suspects }: TokenizerReport): Section => ({
  kind: 'table',
  title: `Tokens that a model can hardly have learned (${suspects.length}${suspects.length > shownSuspects ? `, the first ${shownSuspects}` : ''})`,
  columns: ['id', 'text', 'why'],
  rows: suspects.slice(0, shownSuspects).map(({ id, text, reason }): Json[] => [id, JSON.stringify(text), reason === 'unreachable' ? 'no text gives it' : 'no whole characters, and in none of the texts']),
})
