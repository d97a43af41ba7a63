// A SentencePiece .model file as plain data: pieces with scores and types, how it was trained as far as that matters for encoding, and
// its normalisation. Reading and writing; what the numbers mean for a text is sentencepiece.ts.
// Reference: google/sentencepiece, src/sentencepiece_model.proto.
import { FormatError } from '@weft/contracts'
import { maxVocabSize } from '../tokenizer/token-table.ts'
import { readProtobuf, type ProtobufField } from './protobuf-reader.ts'
import { createProtobufWriter, type ProtobufWriter } from './protobuf-writer.ts'

export type PieceType = 'normal' | 'unknown' | 'control' | 'userDefined' | 'unused' | 'byte'
type SentencePieceAlgorithm = 'unigram' | 'bpe' | 'word' | 'char'

export interface SentencePiece {
  readonly piece: string
  readonly score: number
  readonly type: PieceType
}

export interface SentencePieceNormalizer {
  readonly name: string
  /** The map from character sequences to their normal form; empty: identity. */
  readonly charsmap: Uint8Array
  readonly addDummyPrefix: boolean
  readonly removeExtraWhitespaces: boolean
  readonly escapeWhitespaces: boolean
}

export interface SentencePieceModel {
  readonly pieces: readonly SentencePiece[]
  readonly algorithm: SentencePieceAlgorithm
  readonly byteFallback: boolean
  readonly treatWhitespaceAsSuffix: boolean
  /** What an unknown piece is decoded to. */
  readonly unknownSurface: string
  readonly normalizer: SentencePieceNormalizer
  /** Applied to decoded text; absent where the file has none. */
  readonly denormalizer?: SentencePieceNormalizer
  /** Ids of the begin, end and pad pieces, −1 where there is none. */
  readonly beginId: number
  readonly endId: number
  readonly padId: number
}

const pieceTypes: readonly (PieceType | undefined)[] = [undefined, 'normal', 'unknown', 'control', 'userDefined', 'unused', 'byte']
const algorithms: readonly (SentencePieceAlgorithm | undefined)[] = [undefined, 'unigram', 'bpe', 'word', 'char']

/** @throws FormatError with the byte where the file is broken, and for a model without pieces or without its unknown piece. */
export const readSentencePieceModel = (bytes: Uint8Array, source?: string): SentencePieceModel => {
  const fail = (what: string, offset?: number): FormatError =>
    new FormatError(what, { ...(offset === undefined ? {} : { byteOffset: offset }), ...(source === undefined ? {} : { source }) })
  const pieces: SentencePiece[] = []
  let trainer: TrainerFields = trainerDefaults
  let normalizer: SentencePieceNormalizer = normalizerDefaults
  let denormalizer: SentencePieceNormalizer | undefined
  for (const field of readProtobuf(bytes, source)) {
    if (field.number === 1) {
      if (pieces.length >= maxVocabSize) throw fail(`expected at most ${maxVocabSize} pieces`, field.offset)
      pieces.push(readPiece(field, fail))
    } else if (field.number === 2) trainer = readTrainer(field, fail)
    else if (field.number === 3) normalizer = readNormalizer(field)
    else if (field.number === 5) denormalizer = readNormalizer(field)
  }
  if (pieces.length === 0) throw fail('expected a SentencePiece model, got a file without pieces')
  const idOf = (id: number, name: string): number => {
    if (id >= 0 && id < pieces.length && pieces[id]!.piece === name) return id
    return pieces.findIndex(({ piece, type }) => piece === name && type === 'control')
  }
  const { beginId, endId, padId, beginPiece, endPiece, padPiece, ...rest } = trainer
  return {
    pieces,
    ...rest,
    normalizer,
    ...(denormalizer === undefined ? {} : { denormalizer }),
    beginId: idOf(beginId, beginPiece),
    endId: idOf(endId, endPiece),
    padId: idOf(padId, padPiece),
  }
}

const readPiece = (field: ProtobufField, fail: (what: string, offset: number) => FormatError): SentencePiece => {
  let piece = ''
  let score = 0
  let type: PieceType = 'normal'
  for (const inner of field.message()) {
    if (inner.number === 1) piece = inner.string()
    else if (inner.number === 2) score = inner.float()
    else if (inner.number === 3) {
      const named = pieceTypes[inner.integer()]
      if (named === undefined) throw fail(`expected a piece type from 1 to 6, got ${inner.integer()}`, inner.offset)
      type = named
    }
  }
  if (piece === '') throw fail('expected a piece that is not empty', field.offset)
  if (!Number.isFinite(score)) throw fail(`expected a finite score for ${JSON.stringify(piece)}, got ${score}`, field.offset)
  return { piece, score, type }
}

const trainerDefaults = {
  algorithm: 'unigram' as SentencePieceAlgorithm,
  byteFallback: false,
  treatWhitespaceAsSuffix: false,
  unknownSurface: ' \u2047 ',
  beginId: 1,
  endId: 2,
  padId: -1,
  beginPiece: '<s>',
  endPiece: '</s>',
  padPiece: '<pad>',
}
type TrainerFields = typeof trainerDefaults

const readTrainer = (field: ProtobufField, fail: (what: string, offset: number) => FormatError): TrainerFields => {
  const trainer = { ...trainerDefaults }
  for (const inner of field.message()) {
    switch (inner.number) {
      case 3: {
        const algorithm = algorithms[inner.integer()]
        if (algorithm === undefined) throw fail(`expected a model type from 1 to 4, got ${inner.integer()}`, inner.offset)
        trainer.algorithm = algorithm
        break
      }
      case 24: trainer.treatWhitespaceAsSuffix = inner.boolean(); break
      case 35: trainer.byteFallback = inner.boolean(); break
      case 41: trainer.beginId = inner.integer(); break
      case 42: trainer.endId = inner.integer(); break
      case 43: trainer.padId = inner.integer(); break
      case 44: trainer.unknownSurface = inner.string(); break
      case 46: trainer.beginPiece = inner.string(); break
      case 47: trainer.endPiece = inner.string(); break
      case 48: trainer.padPiece = inner.string(); break
      default: // how the training went
    }
  }
  return trainer
}

const normalizerDefaults: SentencePieceNormalizer = {
  name: '',
  charsmap: new Uint8Array(0),
  addDummyPrefix: true,
  removeExtraWhitespaces: true,
  escapeWhitespaces: true,
}

const readNormalizer = (field: ProtobufField): SentencePieceNormalizer => {
  let { name, charsmap, addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces } = normalizerDefaults
  for (const inner of field.message()) {
    if (inner.number === 1) name = inner.string()
    else if (inner.number === 2) charsmap = inner.bytes()
    else if (inner.number === 3) addDummyPrefix = inner.boolean()
    else if (inner.number === 4) removeExtraWhitespaces = inner.boolean()
    else if (inner.number === 5) escapeWhitespaces = inner.boolean()
  }
  return { name, charsmap: charsmap.slice(), addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces }
}

/** The bytes of a .model file. */
export const writeSentencePieceModel = (model: SentencePieceModel): Uint8Array => {
  const writer = createProtobufWriter()
  for (const { piece, score, type } of model.pieces) {
    writer.message(1, (inner) => {
      inner.string(1, piece)
      inner.float(2, score)
      if (type !== 'normal') inner.integer(3, pieceTypes.indexOf(type))
    })
  }
  writer.message(2, (inner) => writeTrainer(inner, model))
  writer.message(3, (inner) => writeNormalizer(inner, model.normalizer))
  const { denormalizer } = model
  if (denormalizer !== undefined) writer.message(5, (inner) => writeNormalizer(inner, denormalizer))
  return writer.finish()
}

const writeTrainer = (writer: ProtobufWriter, model: SentencePieceModel): void => {
  const nameAt = (id: number, fallback: string): string => model.pieces[id]?.piece ?? fallback
  const unknownId = model.pieces.findIndex(({ type }) => type === 'unknown')
  writer.integer(3, algorithms.indexOf(model.algorithm))
  writer.integer(4, model.pieces.length)
  writer.boolean(24, model.treatWhitespaceAsSuffix)
  writer.boolean(35, model.byteFallback)
  writer.integer(40, unknownId)
  writer.integer(41, model.beginId)
  writer.integer(42, model.endId)
  writer.integer(43, model.padId)
  writer.string(44, model.unknownSurface)
  writer.string(45, nameAt(unknownId, '<unk>'))
  writer.string(46, nameAt(model.beginId, '<s>'))
  writer.string(47, nameAt(model.endId, '</s>'))
  writer.string(48, nameAt(model.padId, '<pad>'))
}

const writeNormalizer = (writer: ProtobufWriter, normalizer: SentencePieceNormalizer): void => {
  writer.string(1, normalizer.name)
  writer.bytes(2, normalizer.charsmap)
  writer.boolean(3, normalizer.addDummyPrefix)
  writer.boolean(4, normalizer.removeExtraWhitespaces)
  writer.boolean(5, normalizer.escapeWhitespaces)
}
