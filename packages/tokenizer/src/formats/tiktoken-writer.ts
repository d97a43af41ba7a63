// tiktoken's rank file of a byte-level tokenizer, with what does not stand in it: the pattern and the special tokens.
import { UnsupportedError, type Json, type Tokenizer } from '@weft/contracts'
import { engineOf } from '../tokenizer/byte-level-tokenizer.ts'
import { bytesOfToken } from '../tokenizer/token-table.ts'
import { namedPatterns } from '../pre-tokenizers/known-patterns.ts'

export interface TiktokenFile {
  /** The content of a .tiktoken file. */
  readonly ranks: string
  /** tiktoken's `pat_str`. */
  readonly pattern: string
  readonly specialTokens: ReadonlyMap<string, number>
}

/**
 * The ranks of a byte-level BPE tokenizer, for tiktoken and `tokenizerFromTiktoken`. Ranks are ids: they must rise in the order of the
 * merges, as trainers number them.
 * @throws UnsupportedError for another kind of tokenizer, or one whose ids or merges tiktoken would read differently.
 */
export const tokenizerToTiktoken = (tokenizer: Tokenizer): TiktokenFile => {
  const pipeline = engineOf(tokenizer)?.pipeline
  if (pipeline === undefined) throw new UnsupportedError('tokenizerToTiktoken: expected a byte-level BPE tokenizer made by @weft/tokenizer, got another')
  const { model, components } = pipeline
  if (pipeline.normalizer !== undefined) throw new UnsupportedError('tokenizerToTiktoken: a normalizer cannot be written as ranks')
  checkOrder(model.mergeTriples)
  const special = new Set(pipeline.addedTokens.map(({ id }) => id))
  const lines: string[] = []
  for (let id = 0; id < model.tokens.size; id++) {
    if (model.inVocabulary[id] === 0 || special.has(id)) continue
    lines.push(`${toBase64(bytesOfToken(model.tokens, id))} ${id}`)
  }
  return {
    ranks: `${lines.join('\n')}\n`,
    pattern: patternOf(components.pre_tokenizer),
    specialTokens: new Map(pipeline.addedTokens.map(({ content, id }) => [content, id])),
  }
}

/** tiktoken knows no merges, only ids: the merge that makes the smaller id goes first. */
const checkOrder = (triples: Int32Array): void => {
  for (let i = 5; i < triples.length; i += 3) {
    if (triples[i]! < triples[i - 3]!) {
      throw new UnsupportedError(`tokenizerToTiktoken: merge ${(i - 2) / 3} makes token ${triples[i]!}, the one before it ${triples[i - 3]!}; ranks cannot say that`)
    }
  }
}

const toBase64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))

const patternOf = (preTokenizer: Json): string => {
  const fail = (): UnsupportedError => new UnsupportedError('tokenizerToTiktoken: expected a text to be cut by one pattern; ranks come with one')
  const object = preTokenizer as { readonly type?: string; readonly use_regex?: boolean; readonly pretokenizers?: readonly Json[]; readonly pattern?: { readonly Regex?: string }; readonly behavior?: string; readonly add_prefix_space?: boolean } | null
  if (object === null || object.add_prefix_space === true) throw fail()
  if (object.type === 'ByteLevel' && object.use_regex !== false) return namedPatterns.gpt2
  if (object.type !== 'Sequence' || object.pretokenizers?.length !== 2) throw fail()
  const [split, last] = object.pretokenizers as readonly { readonly type?: string; readonly use_regex?: boolean; readonly add_prefix_space?: boolean; readonly behavior?: string; readonly pattern?: { readonly Regex?: string } }[]
  const regex = split?.pattern?.Regex
  if (split?.type !== 'Split' || split.behavior !== 'Isolated' || regex === undefined || last?.use_regex !== false || last.add_prefix_space === true) throw fail()
  return regex
}
