// BERT's vocab.txt: a WordPiece token per line, the line number is the id. What else BERT does to a text is told by options.
// Reference: google-research/bert, tokenization.py.
import { FormatError, type Tokenizer } from '@weft/contracts'
import type { TokenRoles } from '../tokenizer/token-roles.ts'
import { maxVocabSize } from '../tokenizer/token-table.ts'
import { tokenizerFromJson } from './tokenizer-json.ts'

export interface TokenizerFromVocabTxtOptions {
  /** The content of vocab.txt. */
  readonly vocab: string
  /** Lower case, accents stripped: an uncased model; default true. */
  readonly lowercase?: boolean
  /** Default: as `lowercase`. */
  readonly stripAccents?: boolean
  readonly handleChineseChars?: boolean
  readonly roles?: TokenRoles
  /** The file's name, for errors. */
  readonly source?: string
}

/**
 * BERT's tokenizer from its vocab.txt: `[CLS]` and `[SEP]` stand around a text where the vocabulary has them.
 * @throws FormatError with the line, where a token is there twice or `[UNK]` is missing.
 */
export const tokenizerFromVocabTxt = (options: TokenizerFromVocabTxtOptions): Tokenizer => {
  const { lowercase = true, stripAccents, handleChineseChars = true, roles, source } = options
  const vocab = readLines(options.vocab, source)
  const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].filter((token) => Object.hasOwn(vocab, token))
  const isFramed = special.includes('[CLS]') && special.includes('[SEP]')
  return tokenizerFromJson(
    {
      added_tokens: special.map((content) => ({ content, id: vocab[content], special: true, normalized: false })),
      normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: handleChineseChars, strip_accents: stripAccents ?? null, lowercase },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: isFramed ? { type: 'BertProcessing', sep: ['[SEP]', vocab['[SEP]']], cls: ['[CLS]', vocab['[CLS]']] } : null,
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab },
    },
    {
      roles: {
        ...(isFramed ? { begin: '[CLS]', end: '[SEP]' } : {}),
        ...roles,
      },
      ...(source === undefined ? {} : { source }),
    },
  )
}

const readLines = (text: string, source: string | undefined): Record<string, number> => {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''))
  if (lines.at(-1) === '') lines.pop()
  const fail = (what: string, line?: number): FormatError =>
    new FormatError(what, { ...(line === undefined ? {} : { line }), ...(source === undefined ? {} : { source }) })
  if (lines.length > maxVocabSize) throw fail(`expected at most ${maxVocabSize} tokens, got ${lines.length}`)
  const vocab = Object.create(null) as Record<string, number>
  lines.forEach((token, id) => {
    if (token === '') return // the id has no token
    if (token in vocab) throw fail(`the token ${JSON.stringify(token)} is there twice`, id + 1)
    vocab[token] = id
  })
  if (!('[UNK]' in vocab)) throw fail('expected a line [UNK]; is this a vocab.txt of BERT?')
  return vocab
}
