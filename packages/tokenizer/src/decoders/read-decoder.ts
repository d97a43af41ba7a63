// Decoders as a tokenizer.json describes them.
import type { JsonField } from '../formats/json-field.ts'
import { readLiteral, readMatcher } from '../pre-tokenizers/read-pattern.ts'
import { alphabetBytes, byteFallbackDecoder, byteLevelDecoder, byteOfToken } from './byte-decoders.ts'
import type { DecodeStepKind } from './decode-step.ts'
import { fuseDecoder, replaceDecoder, stripDecoder } from './text-decoders.ts'
import { bpeDecoder, ctcDecoder, metaspaceDecoder, spacedTokens, wordPieceDecoder } from './word-decoders.ts'

/** @throws UnsupportedError for a component that is not known here. */
export const readDecoder = (field: JsonField): readonly DecodeStepKind[] => (field.isAbsent() ? [spacedTokens] : readSteps(field))

/** How the bytes of a token are told that is no text by itself. */
export const readTokenBytes = (field: JsonField): ((token: string) => Uint8Array | undefined) => {
  const types = flatten(field).map((step) => step.get('type').string())
  if (types.includes('ByteFallback')) {
    return (token) => {
      const byte = byteOfToken(token)
      return byte === undefined ? undefined : Uint8Array.of(byte)
    }
  }
  return types.length === 1 && types[0] === 'ByteLevel' ? alphabetBytes : () => undefined
}

const flatten = (field: JsonField): readonly JsonField[] => {
  if (field.isAbsent()) return []
  return field.get('type').value === 'Sequence' ? field.get('decoders').items().flatMap(flatten) : [field]
}

const readSteps = (field: JsonField): readonly DecodeStepKind[] =>
  flatten(field).map((step) => {
    const type = step.get('type').string()
    const read = Object.hasOwn(readers, type) ? readers[type] : undefined
    if (read === undefined) throw step.get('type').unsupported(`the decoder ${type}`)
    return read(step)
  })

const readReplace = (field: JsonField): DecodeStepKind =>
  replaceDecoder(readMatcher(field.get('pattern')), field.get('content').string(), readLiteral(field.get('pattern')))

const readMetaspace = (field: JsonField): DecodeStepKind => {
  const scheme = field.get('prepend_scheme').stringOr('always')
  const addsPrefix = field.get('add_prefix_space').booleanOr(true) && scheme !== 'never'
  return metaspaceDecoder(field.get('replacement').string(), addsPrefix)
}

const most = 2 ** 31

const readers: Readonly<Record<string, (field: JsonField) => DecodeStepKind>> = {
  ByteLevel: () => byteLevelDecoder,
  ByteFallback: () => byteFallbackDecoder,
  Fuse: () => fuseDecoder,
  Strip: (field) => stripDecoder(field.get('content').string(), field.get('start').index(most), field.get('stop').index(most)),
  Replace: readReplace,
  Metaspace: readMetaspace,
  WordPiece: (field) => wordPieceDecoder(field.get('prefix').stringOr('##'), field.get('cleanup').booleanOr(true)),
  BPEDecoder: (field) => bpeDecoder(field.get('suffix').stringOr('</w>')),
  CTC: (field) =>
    ctcDecoder(field.get('pad_token').stringOr('<pad>'), field.get('word_delimiter_token').stringOr('|'), field.get('cleanup').booleanOr(true)),
}
