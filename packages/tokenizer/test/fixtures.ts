// The reference vocabularies that lie beside the tests: 1000 tokens learned by Hugging Face tokenizers 0.23.3 from public-domain plays.
import { readJsonLines, readText } from '@weft/fixtures'
import { fileURLToPath } from 'node:url'

const path = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))

export type TrainedName = 'gpt2' | 'cl100k'

export interface AnyTokenizerJson {
  added_tokens: Record<string, unknown>[]
  normalizer: unknown
  pre_tokenizer: unknown
  post_processor: unknown
  decoder: unknown
  model: { vocab: Record<string, unknown>; merges: unknown[]; [name: string]: unknown }
  [name: string]: unknown
}

export const trainedText = (name: TrainedName): string => readText(path(`byte-level-${name}-1000-whole.tokenizer.json.gz`))

/** A fresh copy, to change at will. */
export const trainedJson = (name: TrainedName = 'gpt2'): AnyTokenizerJson => JSON.parse(trainedText(name)) as AnyTokenizerJson

export const trainedEncodings = (name: TrainedName): readonly { text: string; ids: number[] }[] =>
  readJsonLines(path(`byte-level-${name}-1000-whole.encodings.jsonl.gz`)) as { text: string; ids: number[] }[]
