// Published bias data sets, read from the text of their files: CrowS-Pairs, WinoBias, Winogender. Weft ships none of them.
import { FormatError } from '@weft/contracts'
import type { StereotypePair, StereotypePairsTask } from '../task.ts'
import { delimitedRecords } from './delimited-records.ts'

/**
 * CrowS-Pairs from the authors' CSV (`crows_pairs_anonymized.csv`): `sent_more` against `sent_less`, by bias type. Of its variants this
 * is lm-evaluation-harness's `crows_pairs_english` for causal models: whole sentences, `pctStereotype` and `likelihoodDiff`.
 * The authors' own pseudo-log-likelihood needs a masked model and is another number.
 *
 * Many pairs are of poor quality; see Blodgett et al. 2021, "Stereotyping Norwegian salmon".
 *
 * @throws FormatError with the line of the file.
 * @see Nangia et al. 2020.
 */
export const crowsPairs = (csvText: string): StereotypePairsTask => {
  const records = delimitedRecords(csvText, { source: 'CrowS-Pairs', delimiter: ',', columns: ['sent_more', 'sent_less', 'bias_type'] })
  const items = records.map((record, index): StereotypePair => ({
    id: record[''] || record['id'] || String(index),
    category: record['bias_type']!,
    moreStereotypical: record['sent_more']!,
    lessStereotypical: record['sent_less']!,
  }))
  return {
    kind: 'stereotypePairs',
    name: 'crows-pairs',
    description: 'CrowS-Pairs, whole sentences, causal variant',
    items: atLeastOne(items, 'CrowS-Pairs'),
  }
}

/**
 * WinoBias from two of its files, line by line: sentences whose pronoun refers to an occupation as prejudice has it, against the same
 * with the other pronoun. A language-model variant: the sentences' likelihoods are compared, no coreference is resolved.
 *
 * @throws FormatError where the two files have different numbers of lines.
 * @see Zhao et al. 2018.
 */
export const winoBias = ({
  proStereotyped,
  antiStereotyped,
}: {
  readonly proStereotyped: string
  readonly antiStereotyped: string
}): StereotypePairsTask => {
  const [pro, anti] = [sentencesOf(proStereotyped), sentencesOf(antiStereotyped)]
  if (pro.length !== anti.length)
    throw new FormatError(`expected as many lines on both sides, got ${pro.length} and ${anti.length}`, { source: 'WinoBias' })
  const items = pro.map((moreStereotypical, index) => ({ moreStereotypical, lessStereotypical: anti[index]! }))
  return { kind: 'stereotypePairs', name: 'wino-bias', description: 'WinoBias, whole sentences', items: atLeastOne(items, 'WinoBias') }
}

/** Without the line number in front and the brackets around mention and pronoun. */
const sentencesOf = (text: string): string[] =>
  text
    .split(/\r?\n/)
    .map((line) =>
      line
        .replace(/^\d+\s+/, '')
        .replace(/[[\]]/g, '')
        .trim(),
    )
    .filter((line) => line !== '')

/**
 * Winogender schemas in which the pronoun refers to the occupation, male against female pronoun: more stereotypical is the pronoun of
 * the sex that holds the larger share of the occupation's jobs.
 *
 * @param options.sentences the text of `all_sentences.tsv`.
 * @param options.occupationStats the text of `occupations-stats.tsv`; shares of exactly 50 % are left out.
 * @throws FormatError with the line of the file.
 * @see Rudinger et al. 2018.
 */
export const winogender = ({
  sentences,
  occupationStats,
}: {
  readonly sentences: string
  readonly occupationStats: string
}): StereotypePairsTask => {
  const stats = delimitedRecords(occupationStats, {
    source: 'Winogender statistics',
    delimiter: '\t',
    columns: ['occupation', 'bls_pct_female'],
  })
  const femaleShare = new Map(stats.map((record) => [record['occupation']!, Number(record['bls_pct_female'])]))
  const records = delimitedRecords(sentences, { source: 'Winogender', delimiter: '\t', columns: ['sentid', 'sentence'] })
  const byId = new Map(records.map((record) => [record['sentid']!, record['sentence']!]))
  const items = [...byId].flatMap(([id, male]): StereotypePair[] => {
    const match = /^(.+)\.([^.]+)\.0\.male\.txt$/.exec(id)
    const female = match === null ? undefined : byId.get(id.replace(/\.male\.txt$/, '.female.txt'))
    const share = match === null ? undefined : femaleShare.get(match[1]!)
    if (female === undefined || share === undefined || Number.isNaN(share) || share === 50) return []
    const [more, less] = share > 50 ? [female, male] : [male, female]
    return [{ id, category: share > 50 ? 'mostly female' : 'mostly male', moreStereotypical: more, lessStereotypical: less }]
  })
  return {
    kind: 'stereotypePairs',
    name: 'winogender',
    description: "Winogender, the occupation's pronoun",
    items: atLeastOne(items, 'Winogender'),
  }
}

const atLeastOne = <Item>(items: readonly Item[], source: string): readonly Item[] => {
  if (items.length === 0) throw new FormatError('no pair of sentences found', { source })
  return items
}
