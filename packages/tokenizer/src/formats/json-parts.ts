// What every reader of a tokenizer.json needs of it: added tokens, the post-processor as the configuration changes it, roles.
import type { Json } from '@weft/contracts'
import type { PostProcessor } from '../post-processors/post-processor.ts'
import { readPostProcessor } from '../post-processors/read-post-processor.ts'
import { frameOf, type Template } from '../post-processors/template-frame.ts'
import type { AddedToken } from '../tokenizer/added-tokens.ts'
import { resolveRoles, type RoleIds, type TokenRoles } from '../tokenizer/token-roles.ts'
import { addConfiguredTokens, readAddedTokens } from './added-tokens-json.ts'
import { configuredProcessor } from './configured-processor.ts'
import { jsonField, parseJson, type JsonField } from './json-field.ts'

export interface ReadOptions {
  /** The file's name, for errors. */
  readonly source?: string
  /** Which tokens begin, end and pad; default: what `config` says, else well-known names such as `<|endoftext|>`. */
  readonly roles?: TokenRoles
  /**
   * The parsed tokenizer_config.json that lies beside the file. Read are `bos_token`, `eos_token`, `pad_token`, `unk_token`,
   * `add_bos_token` and `add_eos_token` (what is put around a text, as transformers does it), and `added_tokens_decoder`.
   */
  readonly config?: unknown
}

export interface JsonParts {
  readonly root: JsonField
  readonly addedTokens: readonly AddedToken[]
  readonly processor: PostProcessor
  /** The processor as it is written back. */
  readonly processorJson: Json
  /** What the processor puts around a single text; undefined where the text does not stand there exactly once. */
  readonly template: Template | undefined
  rolesFor(unknownId: number | undefined): RoleIds
}

export const readParts = (json: unknown, options: ReadOptions): JsonParts => {
  const root = jsonField(parseJson(json, options.source), '', options.source)
  const config = jsonField(options.config, 'config')
  const vocabularyId = vocabularyLookup(root.get('model').get('vocab'))
  const addedTokens = addConfiguredTokens(readAddedTokens(root.get('added_tokens'), vocabularyId), config, vocabularyId)
  const added = new Map(addedTokens.map((token) => [token.content, token.id]))
  const configured = configuredProcessor(config, (token) => added.get(token) ?? vocabularyId(token))
  const processor = configured?.processor ?? readPostProcessor(root.get('post_processor'))
  const template = frameOf(processor)
  const special = new Map(addedTokens.filter((token) => token.special).map((token) => [token.content, token.id]))
  const specialIds = new Set(special.values())
  return {
    root,
    addedTokens,
    processor,
    processorJson: configured?.json ?? ((root.get('post_processor').value ?? null) as Json),
    template,
    rolesFor: (unknownId) =>
      resolveRoles({
        special,
        added,
        found: { beginId: template?.before.find((id) => specialIds.has(id)), unknownId },
        roles: options.roles,
        config: options.config,
      }),
  }
}

/** Token → id of a vocabulary that is an object, or an array of tokens with scores. */
const vocabularyLookup = (vocab: JsonField): ((token: string) => number | undefined) => {
  const { value } = vocab
  if (Array.isArray(value)) {
    let ids: Map<unknown, number> | undefined
    return (token) => (ids ??= new Map(value.map((entry: unknown, id) => [Array.isArray(entry) ? (entry as unknown[])[0] : undefined, id]))).get(token)
  }
  const object = vocab.object() as Record<string, number>
  return (token) => (Object.hasOwn(object, token) ? object[token] : undefined)
}
