// Random tokenizer.json files: a small vocabulary of any kind with random components around it.
import { addedTexts, words, type Random } from './random-text.ts'

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

const printable = (byte: number): boolean => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae
const others = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !printable(byte))
const alphabet = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : 0x100 + others.indexOf(byte)))
const inAlphabet = (text: string): string => Array.from(new TextEncoder().encode(text), (byte) => alphabet[byte]!).join('')

const maybe = <T>(random: Random, value: T): T[] => (random.chance(0.5) ? [value] : [])

const normalizers = (random: Random, charsMap: string): Json[] => [
  { type: 'NFC' }, { type: 'NFD' }, { type: 'NFKC' }, { type: 'NFKD' }, { type: 'Lowercase' }, { type: 'StripAccents' }, { type: 'Nmt' },
  { type: 'Strip', strip_left: random.chance(0.7), strip_right: random.chance(0.7) },
  { type: 'Replace', pattern: { String: random.pick([' ', '``', 'a', 'oo', 'é']) }, content: random.pick(['▁', '', 'xy', '"']) },
  { type: 'Replace', pattern: { Regex: random.pick(['\\s+', ' {2,}', '[0-9]', "[^\\w\\s]", '(?<=l)o', '\\p{Lu}']) }, content: random.pick([' ', '', '#', '▁▁']) },
  { type: 'Prepend', prepend: random.pick(['▁', '_', 'ab']) },
  ...(charsMap === '' ? [] : [{ type: 'Precompiled', precompiled_charsmap: charsMap }]),
  {
    type: 'BertNormalizer', clean_text: random.chance(0.7), handle_chinese_chars: random.chance(0.7),
    strip_accents: random.pick([null, true, false]), lowercase: random.chance(0.5),
  },
  ...maybe<Json>(random, { type: 'ByteLevel' }),
]

const patterns: readonly string[] = [
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  ' ?[^(\\s|[.,!?…。，、।۔،])]+', '[0-9][0-9][0-9]', '\\d+', '\\w+|[^\\w\\s]', '(?<=\\p{Ll})(?=\\p{Lu})', '[\\p{Han}\\p{Hiragana}\\p{Katakana}]+', '[A-Z]++[a-z]*+', '\\b', '(?i)the|[aeiou]+', '\\h+',
  '[\\p{L}\\p{M}]+', '\\s', '[^\\S\\n]+', '(?:ab|a)+b?', '\\p{P}', '\\p{S}|\\p{Z}', '[[:alpha:]]+', '\\X',
].slice(0, -2)
const behaviors = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous']

const preTokenizers = (random: Random): Json[] => [
  { type: 'BertPreTokenizer' }, { type: 'Whitespace' }, { type: 'WhitespaceSplit' }, { type: 'UnicodeScripts' },
  { type: 'ByteLevel', add_prefix_space: random.chance(0.5), trim_offsets: random.chance(0.5), use_regex: random.chance(0.6) },
  { type: 'CharDelimiterSplit', delimiter: random.pick([' ', '-', 'e', '😀', '.']) },
  { type: 'Punctuation', behavior: random.pick(behaviors) },
  { type: 'Digits', individual_digits: random.chance(0.5) },
  { type: 'Metaspace', replacement: random.pick(['▁', '▁', '_']), prepend_scheme: random.pick(['always', 'first', 'never']), split: random.chance(0.7) },
  { type: 'Split', pattern: { Regex: random.pick(patterns) }, behavior: random.pick(behaviors), invert: random.chance(0.4) },
  { type: 'Split', pattern: { String: random.pick([' ', '-', 'ee', '▁', '.']) }, behavior: random.pick(behaviors), invert: random.chance(0.3) },
  { type: 'FixedLength', length: 1 + random.below(6) },
]

const decoders = (random: Random): Json[] => [
  { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  { type: 'WordPiece', prefix: random.pick(['##', '@@']), cleanup: random.chance(0.5) },
  { type: 'Metaspace', replacement: '▁', prepend_scheme: random.pick(['always', 'first', 'never']), split: true },
  { type: 'BPEDecoder', suffix: '</w>' },
  { type: 'CTC', pad_token: random.pick(['<unk>', '<s>']), word_delimiter_token: '|', cleanup: random.chance(0.5) },
  { type: 'Fuse' },
  { type: 'Replace', pattern: { String: random.pick(['▁', 'e', 'low']) }, content: random.pick([' ', '', 'ZZ']) },
  { type: 'Replace', pattern: { Regex: random.pick(['[aeiou]+', '\\s+']) }, content: random.pick([' ', '-']) },
  { type: 'ByteFallback' },
]

const llamaDecoders: Json[] = [
  { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
  { type: 'ByteFallback' },
  { type: 'Fuse' },
  { type: 'Strip', content: ' ', start: 1, stop: 0 },
]

const processors = (random: Random, id: (token: string) => number): Json[] => {
  const token = (text: string): [string, Json] => [text, { id: text, ids: [id(text)], tokens: [text] }]
  const special = (text: string, type: number): Json => ({ SpecialToken: { id: text, type_id: type } })
  const text = (name: string, type: number): Json => ({ Sequence: { id: name, type_id: type } })
  return [
    { type: 'ByteLevel', add_prefix_space: random.chance(0.5), trim_offsets: random.chance(0.7), use_regex: true },
    { type: 'BertProcessing', sep: ['</s>', id('</s>')], cls: ['<s>', id('<s>')] },
    { type: 'RobertaProcessing', sep: ['</s>', id('</s>')], cls: ['<s>', id('<s>')], trim_offsets: random.chance(0.5), add_prefix_space: random.chance(0.5) },
    {
      type: 'TemplateProcessing',
      single: [special('<s>', 0), text('A', random.below(2)), ...maybe(random, special('</s>', 2))],
      pair: [...maybe(random, special('<s>', 0)), text('A', 0), special('</s>', 0), text('B', 1), special('</s>', 1)],
      special_tokens: Object.fromEntries([token('<s>'), token('</s>')]),
    },
  ]
}

const sequence = (random: Random, items: Json[], name: string, most: number): Json => {
  const count = random.below(most + 1)
  if (count === 0) return null
  const chosen = Array.from({ length: count }, () => random.pick(items))
  return count === 1 ? chosen[0]! : { type: 'Sequence', [name]: chosen }
}

/** Words cut into parts, and how the parts merge. */
const learn = (random: Random, corpus: readonly string[], suffix: string, prefix: string) => {
  const vocabulary = new Set<string>()
  const merges = new Map<string, [string, string]>()
  for (const word of corpus) {
    const letters = Array.from(word)
    let parts = letters.map((letter, i) => (i > 0 ? prefix : '') + letter + (i === letters.length - 1 ? suffix : ''))
    for (const part of parts) if (!random.chance(0.02)) vocabulary.add(part)
    while (parts.length > 1 && random.chance(0.85)) {
      const at = random.below(parts.length - 1)
      const [left, right] = [parts[at]!, parts[at + 1]!]
      const merged = left + right.slice(at + 1 > 0 ? prefix.length : 0)
      if (!vocabulary.has(left) || !vocabulary.has(right)) break
      vocabulary.add(merged)
      merges.set(`${left}\0${right}`, [left, right])
      parts = [...parts.slice(0, at), merged, ...parts.slice(at + 2)]
    }
  }
  return { tokens: [...vocabulary], merges: [...merges.values()] }
}

const spaced = (random: Random): string[] => {
  const base = words.flatMap((word) => [word, `▁${word}`, inAlphabet(word), inAlphabet(` ${word}`)])
  return [...base, ' ', '▁', '▁▁', '▁▁▁▁', '.', ',', 'a', 'e', 'o', 'x', '_'].filter(() => !random.chance(0.3))
}

const specials = ['<unk>', '<s>', '</s>']

const model = (random: Random): Json => {
  const corpus = spaced(random)
  const bytes = random.chance(0.5) ? Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`) : []
  const index = (tokens: readonly string[]): { [name: string]: Json } => Object.fromEntries([...new Set([...specials, ...tokens])].map((token, id) => [token, id]))
  const kind = random.below(5)
  if (kind === 0) {
    const { tokens } = learn(random, words.filter((word) => !/\s/.test(word)).map((word) => (random.chance(0.5) ? word.toLowerCase() : word)), '', '##')
    return { type: 'WordPiece', unk_token: '<unk>', continuing_subword_prefix: '##', max_input_chars_per_word: random.pick([5, 20, 100]), vocab: index(tokens) }
  }
  if (kind === 1) {
    const { tokens } = learn(random, corpus, '', '')
    const vocab = [...new Set([...specials, ...tokens, ...bytes])].map((token, i): Json => [token, i < 3 ? 0 : -(1 + random.below(120)) / 8])
    return { type: 'Unigram', unk_id: 0, vocab, byte_fallback: bytes.length > 0 && random.chance(0.7) }
  }
  if (kind === 2) return { type: 'WordLevel', vocab: index(corpus), unk_token: '<unk>' }
  const suffix = random.chance(0.2) ? '</w>' : ''
  const prefix = suffix === '' && random.chance(0.15) ? '##' : ''
  const { tokens, merges } = learn(random, corpus, suffix, prefix)
  return {
    type: 'BPE', dropout: null, unk_token: random.chance(0.7) ? '<unk>' : null, continuing_subword_prefix: prefix === '' ? null : prefix,
    end_of_word_suffix: suffix === '' ? null : suffix, fuse_unk: random.chance(0.5), byte_fallback: bytes.length > 0 && suffix + prefix === '' && random.chance(0.7), ignore_merges: random.chance(0.3),
    vocab: index([...tokens, ...bytes, ...(random.chance(0.5) ? alphabet : [])]), merges,
  }
}

const added = (random: Random, known: (token: string) => number | undefined, size: number, decoder: Json): Json[] => {
  let next = size
  // The byte-level decoder of the reference takes an added token `não` for bytes; here it stays what it is
  const isBytes = JSON.stringify(decoder ?? '').includes('ByteLevel')
  return ['<s>', '</s>', ...addedTexts.filter((text) => random.chance(0.4) && !(isBytes && /[^\x00-\x7f]/.test(text)))]
    .filter((content, i, all) => all.indexOf(content) === i)
    .map((content) => {
      const special = random.chance(0.6)
      return {
        id: known(content) ?? next++, content, single_word: random.chance(0.2), lstrip: random.chance(0.2), rstrip: random.chance(0.2),
        // An added token that normalization makes empty sends the reference into an endless loop
        normalized: content.trim() !== '' && random.chance(0.3), special,
      }
    })
    .sort((a, b) => a.id - b.id)
}

/** @param charsMap a precompiled charsmap in base64; empty: none. */
export const randomPipeline = (random: Random, charsMap: string): { [name: string]: Json } => {
  const chosen = model(random) as { [name: string]: Json }
  const { vocab } = chosen
  const ids: Map<string, number> = Array.isArray(vocab) ? new Map(vocab.map((entry, i) => [(entry as Json[])[0] as string, i])) : new Map(Object.entries(vocab as Record<string, number>))
  const id = (token: string): number => ids.get(token)!
  const decoder = random.chance(0.3) ? ({ type: 'Sequence', decoders: llamaDecoders } as Json) : sequence(random, decoders(random), 'decoders', 3)
  const processor = sequence(random, processors(random, id).slice(0, random.chance(0.5) ? 4 : 1), 'processors', 1)
  return {
    version: '1.0', truncation: null, padding: null, added_tokens: added(random, (token) => ids.get(token), ids.size, decoder),
    normalizer: sequence(random, normalizers(random, charsMap), 'normalizers', 3),
    pre_tokenizer: sequence(random, preTokenizers(random), 'pretokenizers', 3),
    post_processor: processor, decoder, model: chosen,
  }
}
