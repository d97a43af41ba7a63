// tiktoken's rank files: the tokens' bytes in base64 with their ranks, which are both ids and the order of merging. Any two adjacent
// tokens whose bytes together are a token may merge; a piece that is a token whole is taken as it is.
// Reference: openai/tiktoken, tiktoken/load.py and src/lib.rs.
import { ConfigError, FormatError, type Json, type Tokenizer } from '@weft/contracts'
import { createByteLevelTokenizer } from '../tokenizer/byte-level-tokenizer.ts'
import { createByteStringTable, type ByteStringTable } from '../text/byte-string-table.ts'
import { knownSplitter } from '../pre-tokenizers/known-patterns.ts'
import { createMergeTable } from '../models/merge-table.ts'
import { patternSplitter } from '../pre-tokenizers/pattern-splitter.ts'
import { patternMatcher } from '../pre-tokenizers/pattern-matcher.ts'
import type { BpeModel } from '../models/piece-encoder.ts'
import { describePreTokenizer, patternText, type SplitPattern } from '../pre-tokenizers/pre-tokenizer.ts'
import { resolveRoles, type TokenRoles } from '../tokenizer/token-roles.ts'
import { createTokenTable, maxVocabSize } from '../tokenizer/token-table.ts'

export interface TokenizerFromTiktokenOptions {
  /** The content of a .tiktoken file: a line per token, base64 of its bytes, a space, its rank. */
  readonly ranks: string | Uint8Array
  /** gpt2 is also that of r50k and p50k. */
  readonly pattern: SplitPattern
  /** Text → id. */
  readonly specialTokens?: ReadonlyMap<string, number> | Readonly<Record<string, number>>
  readonly roles?: TokenRoles
  /** The file's name, for errors. */
  readonly source?: string
}

/**
 * A tokenizer from tiktoken's ranks. Written out as tokenizer.json it keeps its ids, except where two ways of making the same
 * token compete in one piece, which the two formats order differently.
 * @throws FormatError with the line, where the file is broken, names bytes or a rank twice or lacks one of the 256 bytes.
 */
export const tokenizerFromTiktoken = (options: TokenizerFromTiktokenOptions): Tokenizer => {
  const { source, roles } = options
  const text = typeof options.ranks === 'string' ? options.ranks : new TextDecoder().decode(options.ranks)
  const { table, ids } = readRanks(text, source)
  const special = readSpecialTokens(options.specialTokens, ids)
  return tokenizerOfRanks({ table, ids, special, source, pattern: patternText(options.pattern), patternPath: 'pattern', before: [], roles })
}

/** @internal Ranks from whichever file, checked. */
export interface RankedTokens {
  readonly table: ByteStringTable
  /** The id of each token of the table; merging is by ids. */
  readonly ids: readonly number[]
  readonly special: ReadonlyMap<string, number>
  readonly pattern: string
  /** What the pattern is called, for errors. */
  readonly patternPath: string
  /** Ids that are put before a text. */
  readonly before: readonly number[]
  readonly roles: TokenRoles | undefined
  readonly source: string | undefined
}

/** @internal */
export const tokenizerOfRanks = ({ table, ids, special, pattern, patternPath, before, roles, source }: RankedTokens): Tokenizer => {
  const splitter = knownSplitter(pattern) ?? patternSplitter(patternMatcher(pattern, patternPath), 'Isolated', false)
  const textOf = new Map([...special].map(([content, id]) => [id, content]))
  return createByteLevelTokenizer({
    model: buildModel(table, ids, special, source),
    addedTokens: [...special].map(([content, id]) => ({
      id,
      content,
      special: true,
      lstrip: false,
      rstrip: false,
      singleWord: false,
      normalized: false,
    })),
    preTokenizer: { splitters: [splitter], prefixSpace: false },
    template: { before, behind: [] },
    roles: resolveRoles({ special, added: special, roles }),
    components: {
      truncation: null,
      padding: null,
      normalizer: null,
      pre_tokenizer: describePreTokenizer(pattern),
      post_processor: before.length === 0 ? null : beforeText(before, textOf),
      decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    },
  })
}

const beforeText = (before: readonly number[], textOf: ReadonlyMap<number, string>): Json => {
  const special = before.map((id) => ({ SpecialToken: { id: textOf.get(id)!, type_id: 0 } }))
  const sequence = (id: 'A' | 'B'): Json => ({ Sequence: { id, type_id: 0 } })
  return {
    type: 'TemplateProcessing',
    single: [...special, sequence('A')],
    pair: [...special, sequence('A'), ...special, sequence('B')],
    special_tokens: Object.fromEntries(before.map((id) => [textOf.get(id)!, { id: textOf.get(id)!, ids: [id], tokens: [textOf.get(id)!] }])),
  }
}

/** The tokens in the order of the file, and their ids. */
const readRanks = (text: string, source: string | undefined): { table: ByteStringTable; ids: readonly number[] } => {
  const table = createByteStringTable()
  const ids: number[] = []
  const seen = new Set<number>()
  text.split('\n').forEach((line, i) => {
    if (line.trim() === '') return
    const fail = (what: string): FormatError => new FormatError(what, { line: i + 1, ...(source === undefined ? {} : { source }) })
    const [, base64, rankText] = /^([A-Za-z0-9+/]+={0,2}) (\d+)\r?$/.exec(line) ?? []
    const bytes = base64 === undefined ? undefined : decodeBase64(base64)
    if (bytes === undefined || bytes.length === 0) throw fail(`expected base64, a space and a rank, got ${JSON.stringify(line.slice(0, 60))}`)
    const rank = Number(rankText)
    if (rank >= maxVocabSize) throw fail(`expected a rank below ${maxVocabSize}, got ${rankText}`)
    if (seen.has(rank)) throw fail(`the rank ${rank} is there twice`)
    seen.add(rank)
    if (table.intern(bytes, 0, bytes.length) !== ids.length) throw fail(`the token ${base64} is there twice`)
    ids.push(rank)
  })
  return { table, ids }
}

const decodeBase64 = (base64: string): Uint8Array | undefined => {
  try {
    const binary = atob(base64)
    return Uint8Array.from({ length: binary.length }, (_, i) => binary.charCodeAt(i))
  } catch {
    return undefined
  }
}

const readSpecialTokens = (given: TokenizerFromTiktokenOptions['specialTokens'], ids: readonly number[]): ReadonlyMap<string, number> => {
  const special = given instanceof Map ? (given as ReadonlyMap<string, number>) : new Map(Object.entries(given ?? {}))
  const taken = new Set(ids)
  for (const [content, id] of special) {
    if (content === '' || !Number.isInteger(id) || id < 0 || id >= maxVocabSize || taken.has(id)) {
      throw new ConfigError(`specialTokens: expected an id for ${JSON.stringify(content)} that no other token has, got ${id}`)
    }
    taken.add(id)
  }
  return special
}

const buildModel = (table: ByteStringTable, ids: readonly number[], special: ReadonlyMap<string, number>, source: string | undefined): BpeModel => {
  let size = 0
  for (const id of ids) size = Math.max(size, id + 1)
  for (const id of special.values()) size = Math.max(size, id + 1)
  const builder = createTokenTable(size)
  const inVocabulary = new Uint8Array(size)
  ids.forEach((id, i) => {
    builder.addBytes(id, table.at(i))
    inVocabulary[id] = 1
  })
  for (const [content, id] of special) builder.setText(id, content)
  const findWhole: NonNullable<BpeModel['findWhole']> = (bytes, start, end) => {
    const found = table.find(bytes, start, end)
    return found < 0 ? -1 : ids[found]!
  }
  const byteIds = Int32Array.from({ length: 256 }, (_, byte) => findWhole(Uint8Array.of(byte), 0, 1))
  const missing = byteIds.indexOf(-1)
  if (missing >= 0) throw new FormatError(`expected a token for every byte, none for ${missing}`, source === undefined ? {} : { source })
  const mergeTriples = findMerges(table, ids, findWhole)
  return {
    tokens: builder.finish(),
    inVocabulary,
    byteIds,
    merges: createMergeTable(mergeTriples, mergeTriples.filter((_, i) => i % 3 === 2)),
    mergeTriples,
    findWhole,
    unknownId: -1,
    fuseUnknown: false,
  }
}

/** Every way to make a token of two others, by the rank of the token, then of the left part. */
const findMerges = (table: ByteStringTable, ids: readonly number[], findWhole: NonNullable<BpeModel['findWhole']>): Int32Array => {
  const inOrder = ids.map((_, i) => i).sort((a, b) => ids[a]! - ids[b]!)
  const triples: number[] = []
  for (const i of inOrder) {
    const bytes = table.at(i)
    const found: [left: number, right: number][] = []
    for (let cut = 1; cut < bytes.length; cut++) {
      const left = findWhole(bytes, 0, cut)
      const right = left < 0 ? -1 : findWhole(bytes, cut, bytes.length)
      if (right >= 0) found.push([left, right])
    }
    for (const [left, right] of found.sort((a, b) => a[0] - b[0])) triples.push(left, right, ids[i]!)
  }
  return Int32Array.from(triples)
}
