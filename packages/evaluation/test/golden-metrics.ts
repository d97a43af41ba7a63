// Reference values of sacrebleu 2.6.0, rouge_score 0.1.2, scikit-learn 1.9.1, scipy 1.17.1, statsmodels 0.15.0 and lm-eval 0.4.13 on inputs
// that were written for them.
import { readText } from '@weft/fixtures'
import { fileURLToPath } from 'node:url'

interface BleuGolden {
  args: Record<string, unknown>
  corpus_1ref: { score: number; precisions: number[]; bp: number; sys_len: number; ref_len: number }
  corpus_2ref: { score: number; precisions: number[]; bp: number; sys_len: number; ref_len: number }
  sentence_1ref_effective_order: number[]
  sentence_2ref_effective_order: number[]
  tokens_13a?: string[]
  tokens_intl?: string[]
}

interface ChrFGolden {
  args: Record<string, unknown>
  corpus_1ref: number
  corpus_2ref: number
  sentence_1ref: number[]
  sentence_2ref: number[]
}

type RougeRow = Record<'rouge1' | 'rouge2' | 'rougeL' | 'rougeLsum', [number, number, number]>
type Bins = { ece: number; bins: { n: number; acc?: number; conf?: number }[] }

export interface GoldenMetrics {
  mt: { hyps: string[]; refs: string[]; refs2: string[]; bleu: Record<string, BleuGolden>; chrf: Record<string, ChrFGolden> }
  rouge: { plain: { rows: RougeRow[]; multi_refs_max: RougeRow[]; tokens: string[][] } }
  squad: { rows: { pred: string; golds: string[]; norm_pred: string; norm_golds: string[]; em: 0 | 1; f1_v2: number }[] }
  lm_eval_exact_match: { pred: string[]; ref: string[]; scores: Record<string, number[]> }
  calibration: {
    logits: number[][]
    gold: number[]
    probs: number[][]
    confidence: number[]
    correct: number[]
    brier_multiclass_lm_eval: number
    ece_equal_width_10: Bins
    ece_equal_width_15: Bins
    ece_equal_mass_10: Bins
    ece_equal_mass_5: Bins
  }
  classification: {
    pred: number[]
    accuracy: number
    f1_macro: number
    f1_micro: number
    f1_weighted: number
    mcc: number
    binary: { f1: number; mcc: number; pred: number[] }
  }
  pass_at_k: { cases: [number, number, number, number][] }
  lm_eval_aggregation: {
    accuracy: number[]
    loglikelihoods: number[]
    rolling_loglikelihoods: number[]
    rolling_words: number[]
    mean_stderr: number
    perplexity: number
    weighted_perplexity: number
    bits_per_byte: number
    bootstrap: Record<string, { value: number; stderr: number }>
    groups: { stderrs: number[]; sizes: number[]; pooled: number }
  }
  paired: {
    a_correct: number[]
    b_correct: number[]
    mcnemar: { table: [[number, number], [number, number]]; exact: { p: number }; mid_p: number }[]
    bootstrap: { indices: number[][]; mean: number; ci95: [number, number]; p_two_sided: number }
    binomtest: { k: number; n: number; p: number }[]
    proportion_ci95: { k: number; n: number; wilson: [number, number] }[]
  }
}

export const golden = JSON.parse(readText(fileURLToPath(new URL('metrics.json.gz', import.meta.url)))) as GoldenMetrics
