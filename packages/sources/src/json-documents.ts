// Documents out of JSON lines, in the shapes that corpora use: {text, …fields}, {id, text, source, metadata: {…}} and the like.
import type { Json, TextDocument } from '@weft/contracts'
import { inputName, type ByteInput } from './byte-source.ts'
import { jsonLines } from './json-lines.ts'
import { reportSkipped } from './skipped.ts'
import type { LineOptions } from './text-lines.ts'

export interface JsonDocumentOptions extends LineOptions {
  /** The field that holds the text; default `text`. */
  readonly textField?: string
  /** The field that holds the id, a string or a number; default `id`. null: every id is made here, and a field `id` is metadata. */
  readonly idField?: string | null
  /** What made ids begin with, before `:line`; default the input's name. */
  readonly id?: string
}

/**
 * The documents of a JSON lines file. All fields but the text, the id and a `source` string become metadata; an object under
 * `metadata` is spread into it (other fields win). Besides jsonLines' reasons, `onSkipped` hears of records without a text
 * (`wrongRecord`) and of texts that are empty or only white space (`empty`).
 * Ids are the file's own: whether they are unique is the file's affair.
 * @throws FormatError for such a record where there is no `onSkipped`.
 */
export async function* documentsFromJsonLines(
  input: ByteInput,
  options: JsonDocumentOptions = {},
): AsyncGenerator<TextDocument, void, undefined> {
  const { textField = 'text', idField = 'id', onSkipped } = options
  const source = inputName(input) ?? 'stream'
  for await (const { value, line, byteOffset } of jsonLines(input, options)) {
    const skip = (kind: 'wrongRecord' | 'empty', reason: string) => reportSkipped({ kind, source, line, byteOffset, reason }, onSkipped)
    if (!isObject(value)) {
      skip('wrongRecord', `expected an object with a field ${JSON.stringify(textField)}, got ${describe(value)}`)
      continue
    }
    const text = Object.hasOwn(value, textField) ? value[textField] : undefined
    if (typeof text !== 'string') {
      skip('wrongRecord', `expected a string in the field ${JSON.stringify(textField)}, got ${describe(text)} (fields: ${fieldList(value)})`)
    } else if (text.trim() === '') {
      skip('empty', `expected text in the field ${JSON.stringify(textField)}, got none`)
    } else {
      yield toDocument(value, text, { textField, idField, source, madeId: `${options.id ?? source}:${line}` })
    }
  }
}

const toDocument = (
  record: Readonly<Record<string, Json>>,
  text: string,
  place: { readonly textField: string; readonly idField: string | null; readonly source: string; readonly madeId: string },
): TextDocument => {
  const { [place.textField]: _text, source, metadata, ...fields } = record
  const ownId = place.idField !== null && Object.hasOwn(record, place.idField) ? record[place.idField] : undefined
  const isUsableId = (typeof ownId === 'string' && ownId !== '') || typeof ownId === 'number'
  const all: Record<string, Json> = {
    ...(isObject(metadata) ? metadata : metadata === undefined ? {} : { metadata }),
    ...(source === undefined || typeof source === 'string' ? {} : { source }),
    ...fields,
  }
  if (isUsableId && place.idField !== null) delete all[place.idField]
  return {
    id: isUsableId ? String(ownId) : place.madeId,
    text,
    source: typeof source === 'string' ? source : place.source,
    ...(Object.keys(all).length === 0 ? {} : { metadata: all }),
  }
}

const isObject = (value: Json | undefined): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const describe = (value: Json | undefined): string =>
  value === undefined ? 'nothing' : value === null ? 'null' : Array.isArray(value) ? 'an array' : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`

const fieldList = (record: Readonly<Record<string, Json>>): string => {
  const names = Object.keys(record)
  return names.length === 0 ? 'none' : names.slice(0, 10).map((name) => name.slice(0, 40)).join(', ') + (names.length > 10 ? ', …' : '')
}
