// Which tokens open and end a text, pad it or stand for the unknown. A tokenizer.json does not say so: the caller may, a
// tokenizer_config.json does, and what is left is told by the names that models use.
import { ConfigError } from '@weft/contracts'

/** Tokens by their text; each must be an added token. */
export interface TokenRoles {
  readonly begin?: string
  /** Any of these ends generation. */
  readonly end?: string | readonly string[]
  readonly pad?: string
  readonly unknown?: string
}

export interface RoleIds {
  readonly beginId?: number
  readonly endIds: readonly number[]
  readonly padId?: number
  readonly unknownId?: number
}

const beginNames = ['<|begin_of_text|>', '<s>', '<bos>', '<|startoftext|>', '<BOS_TOKEN>', '<｜begin▁of▁sentence｜>', '[BOS]', '<|bos|>']
const endNames = [
  '<|endoftext|>',
  '</s>',
  '<eos>',
  '<|end_of_text|>',
  '<|eot_id|>',
  '<|eom_id|>',
  '<|im_end|>',
  '<end_of_turn>',
  '<|return|>',
  '<|EOT|>',
  '<|END_OF_TURN_TOKEN|>',
  '<｜end▁of▁sentence｜>',
  '[EOS]',
  '<|eos|>',
]
const padNames = ['<|padding|>', '<pad>', '<|pad|>', '[PAD]', '<|finetune_right_pad_id|>', '<PAD>']
const unknownNames = ['<unk>', '[UNK]', '<|unk|>']

/**
 * @param special text → id of the special tokens.
 * @param added text → id of all added tokens.
 * @param found ids that the file itself names.
 * @param config the parsed tokenizer_config.json.
 * @throws ConfigError where `roles` names a token that is not there.
 */
export const resolveRoles = (options: {
  readonly special: ReadonlyMap<string, number>
  readonly added: ReadonlyMap<string, number>
  readonly found?: { readonly beginId?: number | undefined; readonly unknownId?: number | undefined }
  readonly roles?: TokenRoles | undefined
  readonly config?: unknown
}): RoleIds => {
  const { special, added, found, roles = {}, config } = options
  const named = (name: string, role: string): number => {
    const id = added.get(name)
    if (id === undefined) throw new ConfigError(`roles.${role}: expected one of the added tokens, got ${JSON.stringify(name)}`)
    return id
  }
  const guess = (names: readonly string[]): number | undefined => {
    const name = names.find((candidate) => special.has(candidate))
    return name === undefined ? undefined : special.get(name)
  }
  const one = (role: 'begin' | 'pad' | 'unknown', key: string, names: readonly string[], fromFile?: number): number | undefined => {
    const name = roles[role]
    return name === undefined ? (configured(config, key, added) ?? fromFile ?? guess(names)) : named(name, role)
  }
  const beginId = one('begin', 'bos_token', beginNames, found?.beginId)
  const padId = one('pad', 'pad_token', padNames)
  const unknownId = one('unknown', 'unk_token', unknownNames, found?.unknownId)
  const configuredEnd = configured(config, 'eos_token', added)
  const guessedEnds = endNames.flatMap((name) => special.get(name) ?? [])
  const endIds =
    roles.end === undefined
      ? [...new Set(configuredEnd === undefined ? guessedEnds : [configuredEnd, ...guessedEnds])]
      : [roles.end].flat().map((name) => named(name, 'end'))
  return {
    endIds,
    ...(beginId === undefined ? {} : { beginId }),
    ...(padId === undefined ? {} : { padId }),
    ...(unknownId === undefined ? {} : { unknownId }),
  }
}

/** A token of a tokenizer_config.json: its text, or an object with `content`. */
const configured = (config: unknown, key: string, added: ReadonlyMap<string, number>): number | undefined => {
  if (typeof config !== 'object' || config === null) return undefined
  const entry = (config as Record<string, unknown>)[key]
  const content = typeof entry === 'object' && entry !== null ? (entry as Record<string, unknown>)['content'] : entry
  return typeof content === 'string' ? added.get(content) : undefined
}
