// Truncation and padding, as a tokenizer.json writes them and as options.
// Reference: huggingface/tokenizers, utils/truncation.rs and utils/padding.rs.
import { ConfigError } from '@weft/contracts'
import type { JsonField } from '../formats/json-field.ts'
import { maxVocabSize } from '../tokenizer/token-table.ts'
import { padDraft, truncateDraft, type Draft } from './draft.ts'

export interface TruncationOptions {
  /** Tokens that are left, those of the template included. */
  readonly maxLength: number
  /** Which of two texts is cut: the longer one, or always the same; default longestFirst. */
  readonly strategy?: 'longestFirst' | 'onlyFirst' | 'onlySecond'
  /** How many tokens an overflowing part shares with the part before it; default 0. */
  readonly stride?: number
  /** Which end is cut off; default right. */
  readonly direction?: 'left' | 'right'
}

export interface PaddingOptions {
  /** Tokens after padding; default: as many as the longest of the batch has. */
  readonly length?: number
  readonly toMultipleOf?: number
  readonly direction?: 'left' | 'right'
  readonly id: number
  readonly typeId?: number
  readonly token: string
}

const largest = 2 ** 31

export const readTruncation = (field: JsonField): TruncationOptions | undefined => {
  if (field.isAbsent()) return undefined
  const strategy = oneOf(field.get('strategy'), { LongestFirst: 'longestFirst', OnlyFirst: 'onlyFirst', OnlySecond: 'onlySecond' } as const)
  return {
    maxLength: field.get('max_length').index(largest),
    strategy: strategy ?? 'longestFirst',
    stride: field.get('stride').isAbsent() ? 0 : field.get('stride').index(largest),
    direction: readDirection(field),
  }
}

export const readPadding = (field: JsonField): PaddingOptions | undefined => {
  if (field.isAbsent()) return undefined
  const strategy = field.get('strategy')
  const length = strategy.value === 'BatchLongest' || strategy.isAbsent() ? undefined : strategy.get('Fixed').index(largest)
  const multiple = field.get('pad_to_multiple_of')
  return {
    ...(length === undefined ? {} : { length }),
    ...(multiple.isAbsent() ? {} : { toMultipleOf: multiple.index(largest) }),
    direction: readDirection(field),
    id: field.get('pad_id').index(maxVocabSize),
    typeId: field.get('pad_type_id').isAbsent() ? 0 : field.get('pad_type_id').index(65_536),
    token: field.get('pad_token').string(),
  }
}

const readDirection = (field: JsonField): 'left' | 'right' => oneOf(field.get('direction'), { Left: 'left', Right: 'right' } as const) ?? 'right'

const oneOf = <T extends string>(field: JsonField, names: Readonly<Record<string, T>>): T | undefined => {
  if (field.isAbsent()) return undefined
  const name = field.string()
  if (!Object.hasOwn(names, name)) throw field.wrong(`one of ${Object.keys(names).join(', ')}`)
  return names[name]
}

/** Cuts one text, or two together, so that `added` more tokens fit. */
export const truncate = (drafts: readonly Draft[], options: TruncationOptions, added: number): readonly Draft[] => {
  const { strategy = 'longestFirst', stride = 0, direction = 'right' } = options
  const maxLength = options.maxLength - added
  if (!Number.isInteger(options.maxLength) || maxLength < 0) {
    throw new ConfigError(`truncation.maxLength: expected an integer from ${added} (the tokens of the template) up, got ${options.maxLength}`)
  }
  const cut = (draft: Draft, length: number): Draft => {
    if (length > 0 && length < draft.ids.length && !(stride >= 0 && stride < length)) {
      throw new ConfigError(`truncation.stride: expected less than ${length}, the tokens left of a text, got ${stride}`)
    }
    return truncateDraft(draft, length, stride, direction === 'left')
  }
  if (maxLength === 0) return drafts.map((draft) => cut(draft, 0))
  const lengths = drafts.map((draft) => draft.ids.length)
  const excess = lengths.reduce((sum, length) => sum + length, 0) - maxLength
  if (excess <= 0) return drafts
  if (strategy === 'longestFirst') {
    const targets = drafts.length === 1 ? [maxLength] : shares(lengths[0]!, lengths[1]!, maxLength)
    return drafts.map((draft, i) => cut(draft, targets[i]!))
  }
  const which = strategy === 'onlyFirst' ? 0 : 1
  const target = lengths[which]
  if (target === undefined) throw new ConfigError('truncation.strategy: onlySecond needs two texts, got one')
  if (target <= excess) {
    throw new ConfigError(`truncation.strategy: ${strategy} cannot reach ${options.maxLength} tokens, that text has ${target} of ${excess} to take away`)
  }
  return drafts.map((draft, i) => (i === which ? cut(draft, target - excess) : draft))
}

const shares = (first: number, second: number, maxLength: number): readonly [number, number] => {
  let shorter = Math.min(first, second)
  let longer = shorter > maxLength ? shorter : Math.max(shorter, maxLength - shorter)
  if (shorter + longer > maxLength) {
    shorter = Math.floor(maxLength / 2)
    longer = shorter + (maxLength % 2)
  }
  return first > second ? [longer, shorter] : [shorter, longer]
}

/** Fills all up to the length that the options ask for. */
export const pad = (drafts: readonly Draft[], options: PaddingOptions): readonly Draft[] => {
  const { toMultipleOf = 0, typeId = 0, direction = 'right', id, token } = options
  let length = options.length ?? drafts.reduce((most, draft) => Math.max(most, draft.ids.length), 0)
  if (toMultipleOf > 0 && length % toMultipleOf > 0) length += toMultipleOf - (length % toMultipleOf)
  return drafts.map((draft) => padDraft(draft, length, { id, typeId, token, onLeft: direction === 'left' }))
}
