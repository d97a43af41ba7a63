// Hugging Face's tokenizer.json, read whole: its model, added tokens, normalizer, pre-tokenizer, post-processor, decoder, truncation and
// padding. What is not known here is an UnsupportedError with the path of the component; what is broken a FormatError with the place.
// Reference: huggingface/tokenizers, tokenizer/serialization.rs.
import type { Json, Tokenizer } from '@weft/contracts'
import { cleanUpSpaces } from '../decoders/text-decoders.ts'
import { readDecoder, readTokenBytes } from '../decoders/read-decoder.ts'
import { readPadding, readTruncation } from '../encoding/limits.ts'
import { readModel } from '../models/read-model.ts'
import { readNormalizer } from '../normalizers/read-normalizer.ts'
import type { PostProcessor } from '../post-processors/post-processor.ts'
import { readPostProcessor } from '../post-processors/read-post-processor.ts'
import { frameOf, type Template } from '../post-processors/template-frame.ts'
import { cutLong } from '../models/merge-barrier.ts'
import { asksForOrigins, readPieceSteps } from '../pre-tokenizers/read-pre-tokenizer.ts'
import type { AddedToken } from '../tokenizer/added-tokens.ts'
import { createTextTokenizer } from '../tokenizer/text-tokenizer.ts'
import { resolveRoles, type RoleIds, type TokenRoles } from '../tokenizer/token-roles.ts'
import { addConfiguredTokens, readAddedTokens } from './added-tokens-json.ts'
import { byteLevelFromParts, isByteLevel } from './byte-level-json.ts'
import { configuredProcessor } from './configured-processor.ts'
import { jsonField, parseJson, type JsonField } from './json-field.ts'
import { writeAddedTokens } from './tokenizer-json-writer.ts'

export interface TokenizerFromJsonOptions {
  /** The file's name, for errors. */
  readonly source?: string
  /** Which tokens begin, end and pad; default: what `config` says, else well-known names such as `<|endoftext|>`. */
  readonly roles?: TokenRoles
  /**
   * The parsed tokenizer_config.json that lies beside the file. Read are `bos_token`, `eos_token`, `pad_token`, `unk_token`,
   * `add_bos_token` and `add_eos_token` (what is put around a text, as transformers does it), and `added_tokens_decoder`.
   */
  readonly config?: unknown
  /** Tidy the spaces before punctuation in decoded texts, as `clean_up_tokenization_spaces` does; default false. */
  readonly cleanUpSpaces?: boolean
}

/**
 * A tokenizer from a tokenizer.json, given as text or parsed: the same ids, offsets and texts as Hugging Face tokenizers gives.
 * Its `truncation` and `padding` apply where `encodeDetailed` and `encodeBatch` are asked for them.
 * @throws FormatError where the file is broken; it names the path, for example `model.merges[12]`.
 * @throws UnsupportedError for a component that is not known, with its path.
 */
export const tokenizerFromJson = (json: unknown, options: TokenizerFromJsonOptions = {}): Tokenizer => {
  const root = jsonField(parseJson(json, options.source), '', options.source)
  const config = jsonField(options.config, 'config')
  const vocabularyId = vocabularyLookup(root.get('model').get('vocab'))
  const addedTokens = addConfiguredTokens(readAddedTokens(root.get('added_tokens'), vocabularyId), config, vocabularyId)
  const written = readPostProcessor(root.get('post_processor'))
  const configured = configuredProcessor(config, (token) => idOf(addedTokens, token) ?? vocabularyId(token))
  const processor = configured?.processor ?? written
  const parts = { root, addedTokens, processor, processorJson: configured?.json ?? ((root.get('post_processor').value ?? null) as Json), options }
  const template = frameOf(processor)
  if (isByteLevel(root) && template !== undefined && options.cleanUpSpaces !== true) return byteLevel(parts, template)
  return general(parts, template)
}

interface Read {
  readonly root: JsonField
  readonly addedTokens: readonly AddedToken[]
  readonly processor: PostProcessor
  readonly processorJson: Json
  readonly options: TokenizerFromJsonOptions
}

const idOf = (tokens: readonly AddedToken[], content: string): number | undefined => tokens.find((token) => token.content === content)?.id

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

const byteLevel = ({ root, addedTokens, options, processorJson }: Read, template: Template): Tokenizer =>
  byteLevelFromParts({
    root: processorJson === root.get('post_processor').value ? root : withField(root, 'post_processor', processorJson),
    addedTokens,
    normalizer: readNormalizer(root.get('normalizer')),
    template,
    roles: rolesOf(addedTokens, template, unknownOf(root), options),
  })

const withField = (root: JsonField, name: string, value: Json): JsonField => jsonField({ ...root.object(), [name]: value }, '')

const unknownOf = (root: JsonField): number | undefined => {
  const token = root.get('model').get('unk_token').value
  return typeof token === 'string' ? vocabularyLookup(root.get('model').get('vocab'))(token) : undefined
}

const rolesOf = (tokens: readonly AddedToken[], template: Template | undefined, unknownId: number | undefined, options: TokenizerFromJsonOptions): RoleIds => {
  const special = tokens.filter((token) => token.special)
  return resolveRoles({
    special: new Map(special.map((token) => [token.content, token.id])),
    added: new Map(tokens.map((token) => [token.content, token.id])),
    found: { beginId: template?.before.find((id) => special.some((token) => token.id === id)), unknownId },
    roles: options.roles,
    config: options.config,
  })
}

const general = ({ root, addedTokens, processor, processorJson, options }: Read, template: Template | undefined): Tokenizer => {
  const { model, barrier, write } = readModel(root.get('model'))
  const normalizer = readNormalizer(root.get('normalizer'))
  const decoders = readDecoder(root.get('decoder'))
  const component = (name: string): Json => (root.get(name).value ?? null) as Json
  const components = {
    truncation: component('truncation'),
    padding: component('padding'),
    normalizer: component('normalizer'),
    pre_tokenizer: component('pre_tokenizer'),
    post_processor: processorJson,
    decoder: component('decoder'),
  }
  return createTextTokenizer({
    model,
    addedTokens,
    normalizer,
    steps: readPieceSteps(root.get('pre_tokenizer')),
    alwaysTracks: asksForOrigins(root.get('pre_tokenizer'), normalizer !== undefined),
    barrier: barrier === undefined ? undefined : cutLong(barrier),
    processor,
    truncation: readTruncation(root.get('truncation')),
    padding: readPadding(root.get('padding')),
    decoders: options.cleanUpSpaces === true ? [...decoders, cleanUpSpaces] : decoders,
    bytesOfToken: readTokenBytes(root.get('decoder')),
    roles: rolesOf(addedTokens, template, model.unknownId, options),
    write: () => {
      const { truncation, padding, ...others } = components
      return { version: '1.0', truncation, padding, added_tokens: writeAddedTokens(addedTokens), ...others, model: write() } satisfies Json
    },
  })
}
