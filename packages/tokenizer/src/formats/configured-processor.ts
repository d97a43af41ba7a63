// The template that transformers makes of `add_bos_token` and `add_eos_token` in a tokenizer_config.json: where either is written
// there, it takes the place of the post-processor of the tokenizer.json.
import type { Json } from '@weft/contracts'
import { templateProcessing, type PostProcessor, type TemplatePiece } from '../post-processors/post-processor.ts'
import type { JsonField } from './json-field.ts'

/** @returns undefined where the configuration leaves the post-processor as it is. */
export const configuredProcessor = (
  config: JsonField,
  idOf: (token: string) => number | undefined,
): { processor: PostProcessor; json: Json } | undefined => {
  if (config.isAbsent()) return undefined
  const addsBegin = config.get('add_bos_token')
  const addsEnd = config.get('add_eos_token')
  if (addsBegin.isAbsent() && addsEnd.isAbsent()) return undefined
  const begin = addsBegin.booleanOr(false) ? tokenOf(config.get('bos_token'), idOf) : undefined
  const end = addsEnd.booleanOr(false) ? tokenOf(config.get('eos_token'), idOf) : undefined
  const around = (sequence: 0 | 1): TemplatePiece[] => [
    ...(begin === undefined ? [] : [{ ids: [begin.id], tokens: [begin.token], typeId: sequence }]),
    { sequence, typeId: sequence },
    ...(end === undefined ? [] : [{ ids: [end.id], tokens: [end.token], typeId: sequence }]),
  ]
  const pair = [...around(0), ...around(1)]
  const tokens = [begin, end].flatMap((token) => token ?? [])
  const json = {
    type: 'TemplateProcessing',
    single: around(0).map(written),
    pair: pair.map(written),
    special_tokens: Object.fromEntries(tokens.map(({ token, id }) => [token, { id: token, ids: [id], tokens: [token] }])),
  }
  return { processor: templateProcessing(around(0), pair), json }
}

const written = (piece: TemplatePiece): Json =>
  'ids' in piece
    ? { SpecialToken: { id: piece.tokens[0]!, type_id: piece.typeId } }
    : { Sequence: { id: piece.sequence === 0 ? 'A' : 'B', type_id: piece.typeId } }

/** A token of the configuration: its text, or an object with `content`. */
const tokenOf = (field: JsonField, idOf: (token: string) => number | undefined): { token: string; id: number } | undefined => {
  if (field.isAbsent()) return undefined
  const token = typeof field.value === 'string' ? field.value : field.get('content').string()
  const id = idOf(token)
  return id === undefined ? undefined : { token, id }
}
