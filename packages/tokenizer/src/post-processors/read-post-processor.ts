// Post-processors as a tokenizer.json describes them.
import type { JsonField } from '../formats/json-field.ts'
import { maxVocabSize } from '../tokenizer/token-table.ts'
import {
  bertProcessing,
  byteLevelProcessing,
  noProcessing,
  processorSequence,
  robertaProcessing,
  templateProcessing,
  type PostProcessor,
  type TemplatePiece,
} from './post-processor.ts'

/** @throws UnsupportedError for a component that is not known here. */
export const readPostProcessor = (field: JsonField): PostProcessor => {
  if (field.isAbsent()) return noProcessing
  const type = field.get('type').string()
  if (type === 'ByteLevel') return byteLevelProcessing(readTrimming(field))
  if (type === 'Sequence') return processorSequence(field.get('processors').items().map(readPostProcessor))
  if (type === 'TemplateProcessing') return templateProcessing(readTemplate(field, 'single'), readTemplate(field, 'pair'))
  if (type === 'RobertaProcessing') return robertaProcessing(readToken(field.get('sep')), readToken(field.get('cls')), readTrimming(field))
  if (type === 'BertProcessing') return bertProcessing(readToken(field.get('sep')), readToken(field.get('cls')))
  throw field.get('type').unsupported(`the post-processor ${type}`)
}

const readTrimming = (field: JsonField): { addPrefixSpace: boolean } | undefined =>
  field.get('trim_offsets').booleanOr(true) ? { addPrefixSpace: field.get('add_prefix_space').booleanOr(true) } : undefined

const readToken = (field: JsonField): [string, number] => {
  const [token, id] = field.items()
  if (token === undefined || id === undefined) throw field.wrong('a token and its id')
  return [token.string(), id.index(maxVocabSize)]
}

const readTemplate = (field: JsonField, name: 'single' | 'pair'): readonly TemplatePiece[] => {
  const template = field.get(name)
  if (name === 'pair' && template.isAbsent()) return []
  return template.items().map((piece) => {
    const special = piece.get('SpecialToken')
    if (special.isAbsent()) {
      const sequence = piece.get('Sequence')
      const id = sequence.get('id').stringOr('A')
      if (id !== 'A' && id !== 'B') throw sequence.get('id').wrong('A or B')
      return { sequence: id === 'A' ? 0 : 1, typeId: readTypeId(sequence) }
    }
    const token = field.get('special_tokens').get(special.get('id').string())
    return {
      ids: token.get('ids').items().map((id) => id.index(maxVocabSize)),
      tokens: token.get('tokens').isAbsent() ? [] : token.get('tokens').items().map((text) => text.string()),
      typeId: readTypeId(special),
    }
  })
}

const readTypeId = (field: JsonField): number => (field.get('type_id').isAbsent() ? 0 : field.get('type_id').index(65_536))
