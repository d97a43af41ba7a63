// A Tokenizer over a text engine: WordPiece, Unigram, WordLevel, SentencePiece-style BPE, and byte-level BPE in unusual surroundings.
import { ConfigError, type DecodeOptions, type EncodeOptions, type Json, type Tokenizer } from '@weft/contracts'
import { startDecoder, type DecodeStepKind } from '../decoders/decode-step.ts'
import { createIdBuffer, pushId } from '../models/piece-encoder.ts'
import { frameOf } from '../post-processors/template-frame.ts'
import { registerInside, type Inside } from './inside.ts'
import { createTextEngine, type TextParts } from './text-engine.ts'
import type { RoleIds } from './token-roles.ts'

export interface TextPipeline extends TextParts {
  readonly decoders: readonly DecodeStepKind[]
  /** The bytes of a token that need not be text by itself; undefined for any other. */
  readonly bytesOfToken: (token: string) => Uint8Array | undefined
  readonly roles: RoleIds
  /** The tokenizer.json, made when it is asked for. */
  readonly write: () => Json
}

export const createTextTokenizer = (pipeline: TextPipeline): Tokenizer => {
  const engine = createTextEngine(pipeline)
  const { model, addedTokens, processor } = pipeline
  const size = addedTokens.reduce((most, token) => Math.max(most, token.id + 1), model.size)
  const special = addedTokens.filter((token) => token.special)
  const added = new Map(addedTokens.map((token) => [token.id, token.content]))
  const tokenOf = (id: number): string | undefined => added.get(id) ?? model.idToToken(id)
  const { decodedAs, isSkipped } = decodedForms(pipeline, size)
  const frame = frameOf(processor)
  const buffer = createIdBuffer()

  const fill = (text: string, { addSpecialTokens = true, allowSpecial = true }: EncodeOptions): void => {
    buffer.count = 0
    if (buffer.ids.length > 1 << 20) buffer.ids = new Uint32Array(1024) // one huge text must not hold its memory for ever
    if (addSpecialTokens && frame === undefined) {
      for (const { ids } of processor.process([engine.draft(text, allowSpecial, 0)], true)) for (const id of ids) pushId(buffer, id)
      return
    }
    if (addSpecialTokens) for (const id of frame!.before) pushId(buffer, id)
    engine.encodeIds(text, allowSpecial, buffer)
    if (addSpecialTokens) for (const id of frame!.behind) pushId(buffer, id)
  }
  const checked = (id: number): number => {
    if (Number.isInteger(id) && id >= 0 && id < size) return id
    throw new ConfigError(`token id: expected an integer from 0 to ${size - 1}, got ${id}`)
  }
  const startDecoding: Inside['startDecoding'] = ({ skipSpecialTokens = false }) => {
    const decoder = startDecoder(pipeline.decoders)
    return {
      push: (id) => {
        const token = decodedAs.get(checked(id)) ?? model.idToToken(id)
        return token === undefined || (skipSpecialTokens && isSkipped[id] === 1) ? '' : decoder.push(token)
      },
      flush: () => decoder.flush(),
    }
  }
  const bytesOf = createTokenBytes(pipeline, added, tokenOf)
  const tokenizer: Tokenizer = {
    vocabSize: size,
    specialTokens: new Map(special.map((token) => [token.content, token.id])),
    ...pipeline.roles,
    encode: (text, options = {}) => {
      fill(text, options)
      return buffer.ids.slice(0, buffer.count)
    },
    decode: (tokenIds: Iterable<number>, options: DecodeOptions = {}) => {
      const decoding = startDecoding(options)
      let text = ''
      for (const id of tokenIds) text += decoding.push(id)
      return text + decoding.flush()
    },
    tokenBytes: (id) => bytesOf(checked(id)),
  }
  registerInside(tokenizer, {
    engine: () => engine,
    count: (text, options) => {
      fill(text, options)
      return buffer.count
    },
    startDecoding,
    tokenOf,
    write: pipeline.write,
  })
  return Object.freeze(tokenizer)
}

/**
 * The reference decodes an added token that is looked for in normalized text in its normalized form, and goes by that form when it
 * leaves special tokens out: Llama's older files write `▁<s>` there, which is decoded to ` <s>` and stays.
 */
const decodedForms = ({ addedTokens, normalizer }: TextPipeline, size: number) => {
  const specialTexts = new Set(addedTokens.filter((token) => token.special).map((token) => token.content))
  const decodedAs = new Map<number, string>()
  const isSkipped = new Uint8Array(size)
  for (const { id, content, normalized } of addedTokens) {
    const text = normalized && normalizer !== undefined ? normalizer({ text: content, start: 0 }).text : content
    decodedAs.set(id, text)
    if (specialTexts.has(text)) isSkipped[id] = 1
  }
  return { decodedAs, isSkipped }
}

/** A token that stands on both sides of the one in question, so that it is neither first nor last. */
const neighbour = '\ue000'

/** The bytes that a token adds to a text in its midst. */
const createTokenBytes = ({ decoders, bytesOfToken }: TextPipeline, added: ReadonlyMap<number, string>, tokenOf: (id: number) => string | undefined) => {
  const encoder = new TextEncoder()
  return (id: number): Uint8Array => {
    const text = added.get(id)
    if (text !== undefined) return encoder.encode(text)
    const token = tokenOf(id)
    if (token === undefined) return new Uint8Array(0)
    const bytes = bytesOfToken(token)
    if (bytes !== undefined) return bytes
    const decoder = startDecoder(decoders)
    const whole = decoder.push(neighbour) + decoder.push(token) + decoder.push(neighbour) + decoder.flush()
    return encoder.encode(whole.slice(whole.indexOf(neighbour) + 1, whole.lastIndexOf(neighbour)))
  }
}
