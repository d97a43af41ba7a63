// Training byte-level BPE: pieces cut by a pattern, as UTF-8, then merges.
import type { Json, Tokenizer } from '@weft/contracts'
import type { AddedToken } from '../tokenizer/added-tokens.ts'
import { bytesInAlphabetOrder } from '../text/byte-alphabet.ts'
import { createByteLevelTokenizer } from '../tokenizer/byte-level-tokenizer.ts'
import { knownSplitter } from '../pre-tokenizers/known-patterns.ts'
import { learnMerges, type LearnedMerges } from './learn-merges.ts'
import { createMergeTable } from '../models/merge-table.ts'
import { patternSplitter } from '../pre-tokenizers/pattern-splitter.ts'
import { patternMatcher } from '../pre-tokenizers/pattern-matcher.ts'
import { createPieceCounts } from './piece-counts.ts'
import type { BpeModel } from '../models/piece-encoder.ts'
import { emptyTemplate } from '../post-processors/template-frame.ts'
import { describePreTokenizer } from '../pre-tokenizers/pre-tokenizer.ts'
import { resolveRoles, type TokenRoles } from '../tokenizer/token-roles.ts'
import { createTokenTable } from '../tokenizer/token-table.ts'
import type { Training } from './training.ts'

export interface ByteLevelTrainingOptions {
  readonly specialTokens: readonly AddedToken[]
  readonly vocabSize: number
  /** As a tokenizer.json writes it. */
  readonly pattern: string
  readonly minFrequency: number
  readonly roles: TokenRoles | undefined
}

export const createByteLevelTraining = ({ specialTokens, vocabSize, pattern, minFrequency, roles }: ByteLevelTrainingOptions): Training => {
  const splitter = knownSplitter(pattern) ?? patternSplitter(patternMatcher(pattern, 'pattern'), 'Isolated', false)
  const counts = createPieceCounts(splitter, specialTokens)
  const firstId = specialTokens.length + 256
  const maxNewTokens = vocabSize - firstId
  return {
    add: counts.add,
    phase: 'merge',
    total: maxNewTokens,
    *learn() {
      const byteIds = numberBytes(specialTokens.length)
      const learned = yield* learnMerges({ pieces: counts.finish(), byteIds, firstId, maxNewTokens, minFrequency })
      yield learned.tokens.length
      return { tokenizer: assemble(specialTokens, byteIds, learned, pattern, roles), reached: firstId + learned.tokens.length }
    },
  }
}

/** Bytes get their ids behind the special tokens, in the order of their characters in the byte alphabet. */
const numberBytes = (firstId: number): Int32Array => {
  const ids = new Int32Array(256)
  bytesInAlphabetOrder.forEach((byte, i) => {
    ids[byte] = firstId + i
  })
  return ids
}

const assemble = (
  specialTokens: readonly AddedToken[],
  byteIds: Int32Array,
  learned: LearnedMerges,
  pattern: string,
  roles: TokenRoles | undefined,
): Tokenizer => {
  const firstId = specialTokens.length + 256
  const size = firstId + learned.tokens.length
  const builder = createTokenTable(size)
  for (const { id, content } of specialTokens) builder.setText(id, content)
  byteIds.forEach((id, byte) => builder.addBytes(id, Uint8Array.of(byte)))
  learned.tokens.forEach((bytes, i) => builder.addBytes(firstId + i, bytes))
  const model: BpeModel = {
    tokens: builder.finish(),
    inVocabulary: new Uint8Array(size).fill(1),
    byteIds,
    merges: createMergeTable(learned.triples),
    mergeTriples: learned.triples,
    unknownId: -1,
    fuseUnknown: false,
  }
  const special = new Map(specialTokens.map((token) => [token.content, token.id]))
  const description = describePreTokenizer(pattern)
  const splitter = knownSplitter(pattern) ?? patternSplitter(patternMatcher(pattern, 'pattern'), 'Isolated', false)
  return createByteLevelTokenizer({
    model,
    addedTokens: specialTokens,
    preTokenizer: { splitters: [splitter], prefixSpace: false },
    template: emptyTemplate,
    roles: resolveRoles({ special, added: special, roles }),
    components: { ...noComponents, pre_tokenizer: description },
  })
}

const noComponents: { readonly [name in 'truncation' | 'padding' | 'normalizer' | 'post_processor' | 'decoder']: Json } = {
  truncation: null,
  padding: null,
  normalizer: null,
  post_processor: null,
  decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
}
