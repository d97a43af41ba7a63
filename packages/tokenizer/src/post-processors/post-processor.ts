// What a tokenizer puts around a text of its own accord: begin and end tokens.
import type { JsonField } from '../formats/json-field.ts'
import { maxVocabSize } from '../tokenizer/token-table.ts'

export interface Template {
  readonly before: readonly number[]
  readonly behind: readonly number[]
}

export const emptyTemplate: Template = { before: [], behind: [] }

/** @throws UnsupportedError for a component that is not known here. */
export const readPostProcessor = (field: JsonField): Template => {
  if (field.isAbsent()) return emptyTemplate
  const type = field.get('type').string()
  if (type === 'ByteLevel') return emptyTemplate // trims offsets only
  if (type === 'Sequence') return field.get('processors').items().map(readPostProcessor).reduce(around, emptyTemplate)
  if (type === 'TemplateProcessing') return readTemplate(field)
  if (type === 'RobertaProcessing' || type === 'BertProcessing') {
    const [before, behind] = ['cls', 'sep'].map((name) => field.get(name).items()[1]!.index(maxVocabSize))
    return { before: [before!], behind: [behind!] }
  }
  throw field.get('type').unsupported(`the post-processor ${type}`)
}

const around = (inner: Template, outer: Template): Template => ({
  before: [...outer.before, ...inner.before],
  behind: [...inner.behind, ...outer.behind],
})

const readTemplate = (field: JsonField): Template => {
  const before: number[] = []
  const behind: number[] = []
  let sequences = 0
  for (const piece of field.get('single').items()) {
    const special = piece.get('SpecialToken')
    if (special.isAbsent()) {
      piece.get('Sequence').object()
      sequences++
      continue
    }
    const ids = field.get('special_tokens').get(special.get('id').string()).get('ids').items()
    ;(sequences === 0 ? before : behind).push(...ids.map((id) => id.index(maxVocabSize)))
  }
  if (sequences !== 1) throw field.get('single').unsupported(`a template in which the text stands ${sequences} times`)
  return { before, behind }
}
