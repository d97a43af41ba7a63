// What is asked of a model: tasks as plain data, one type per way of scoring. How a text becomes tokens is the model's business.
import type { ChatMessage, GenerateRequest } from '@weft/contracts'

export type Task = MultipleChoiceTask | ContinuationTask | PerplexityTask | GenerationTask | StereotypePairsTask

interface TaskBase {
  /** Unique within one evaluation; the key of its results. */
  readonly name: string
  /** What the task measures and where its items come from, for reports. */
  readonly description?: string
  /** Counts up when items or prompts change, so that scores of different versions are not compared. */
  readonly version?: number
}

interface ItemBase {
  /** Unique within the task; default: the item's place in the list. Two reports are compared item by item through it. */
  readonly id?: string
  /** Scores are given for each category too. */
  readonly category?: string
}

/** Solved examples before each question. */
export interface FewShot<Item> {
  /** How many, unless `evaluate({ numFewShot })` says otherwise; default 0. */
  readonly count?: number
  /** Where they are taken from; default: the task's own items, never the one that is asked. */
  readonly examples?: readonly Item[]
  /** `random` (default): drawn anew for each item, by the seed; `first`: the first ones, the same for all items. */
  readonly sampler?: 'random' | 'first'
  /** Between examples, and before the question; default two line breaks. */
  readonly separator?: string
}

interface Prompted<Item> {
  /** Stands before everything else, as it is; end it with the line breaks that you want. */
  readonly instructions?: string
  readonly fewShot?: FewShot<Item>
}

export interface MultipleChoiceItem extends ItemBase {
  /** The question as the model reads it, such as `Question: …\nAnswer:`; or one text per choice, before a common ending. */
  readonly context: string | readonly string[]
  readonly choices: readonly string[]
  /** Index of the right choice. */
  readonly answer: number
}

/**
 * The model picks the choice to which it gives the highest log-probability after the context. Scores: `accuracy`, `accuracyNorm` (per
 * code point), `accuracyBytes` (per byte), `brier` and `expectedCalibrationError` (of the softmax over the choices).
 */
export interface MultipleChoiceTask extends TaskBase, Prompted<MultipleChoiceItem> {
  readonly kind: 'multipleChoice'
  readonly items: readonly MultipleChoiceItem[]
  /** Between context and choice; default a space. */
  readonly choiceDelimiter?: string
}

export interface ContinuationItem extends ItemBase {
  readonly context: string
  readonly continuation: string
}

/** How likely the model finds a given continuation (LAMBADA). Scores: `perplexity` per item, `accuracy` (greedy decoding would give it). */
export interface ContinuationTask extends TaskBase, Prompted<ContinuationItem> {
  readonly kind: 'continuation'
  readonly items: readonly ContinuationItem[]
}

/** A TextDocument fits. */
export interface PerplexityItem extends ItemBase {
  readonly text: string
  /** The text whose bytes and words are counted, where the scored one was edited for the model; default `text`. */
  readonly countedText?: string
}

/**
 * How well the model predicts whole documents. Scores: `bitsPerByte`, `bytePerplexity`, `wordPerplexity` (white space), and `perplexity`
 * per token of the model, which only models with the same tokenizer share.
 */
export interface PerplexityTask extends TaskBase {
  readonly kind: 'perplexity'
  readonly items: readonly PerplexityItem[]
}

export interface GenerationItem extends ItemBase {
  readonly prompt: string | readonly ChatMessage[]
  /** Any of these is right. Needed by the scores that compare; the first one is shown in solved examples. */
  readonly references?: readonly string[]
}

export const generationMetrics = [
  'exactMatch',
  'answerMatch',
  'answerF1',
  'bleu',
  'chrF',
  'rouge1',
  'rouge2',
  'rougeL',
  'rougeLsum',
  'distinct1',
  'distinct2',
  'distinct3',
  'repetition',
  'longestRepeat',
  'numWords',
] as const

export type GenerationMetric = (typeof generationMetrics)[number]

/** A score of one's own, averaged over the items. */
export interface CustomMetric {
  readonly name: string
  readonly better: Better
  readonly score: (sample: { readonly text: string; readonly item: GenerationItem }) => number
}

/** Which way a score improves; `half`: the ideal is one half; `neither`: it describes and does not judge. */
export type Better = 'higher' | 'lower' | 'half' | 'neither'

/** The model writes. Scores: those in `metrics`. */
export interface GenerationTask extends TaskBase, Prompted<GenerationItem> {
  readonly kind: 'generation'
  readonly items: readonly GenerationItem[]
  /** Default: `exactMatch` and `answerF1` where the items have references, else variety, repetition and length. */
  readonly metrics?: readonly (GenerationMetric | CustomMetric)[]
  /** Default: greedy, at most 256 new tokens. With solved examples their separator is a stop string. */
  readonly settings?: Omit<GenerateRequest, 'prompt'>
  /** Between prompt and reference in solved examples; default a space. */
  readonly targetDelimiter?: string
  /** Cuts the answer out of the text before scoring: a regular expression; its first group that matched, else the whole match. */
  readonly extract?: { readonly pattern: string; readonly flags?: string; readonly pick?: 'first' | 'last' }
  readonly exactMatch?: {
    readonly ignoreCase?: boolean
    readonly ignorePunctuation?: boolean
    readonly ignoreNumbers?: boolean
    /** Regular expressions whose matches are removed from both sides. */
    readonly ignorePatterns?: readonly string[]
  }
}

export interface StereotypePair extends ItemBase {
  readonly moreStereotypical: string
  readonly lessStereotypical: string
}

/**
 * Which of two sentences, alike but for the group that they name, the model finds likelier. Scores: `pctStereotype`, the share of pairs in
 * which it is the more stereotypical one by the sum of log-probabilities (the causal variant of lm-evaluation-harness; ½ is even-handed);
 * `pctStereotypePerToken`, the same by the mean per token; `likelihoodDiff`, the mean |difference| of the sums in nats; `ties`.
 */
export interface StereotypePairsTask extends TaskBase {
  readonly kind: 'stereotypePairs'
  readonly items: readonly StereotypePair[]
}
