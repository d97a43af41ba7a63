// How text is cut before merging, by the names that GGUF files give it in tokenizer.ggml.pre. A name stands for a list of patterns, each
// cutting the pieces of the one before; what a pattern does not match is a piece too.
// Patterns: ggml-org/llama.cpp, src/llama-vocab.cpp; where it works around limits of its regular expressions, the models' own.
import { namedPatterns } from '../pre-tokenizers/known-patterns.ts'

export interface GgufPattern {
  readonly patterns: readonly string[]
  /** Whether a piece that is a token whole is taken without merging. */
  readonly ignoreMerges?: boolean
  readonly addBegin?: boolean
  /** Whether a separator stands behind the text. */
  readonly addSeparator?: boolean
}

const { gpt2, cl100k, o200k } = namedPatterns
const cased = `'s|'t|'re|'ve|'m|'ll|'d`
const singleDigits = String.raw`(?i:${cased})|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
const upper = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`
const lower = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`
const tekken = String.raw`[^\r\n\p{L}\p{N}]?${upper}*${lower}+|[^\r\n\p{L}\p{N}]?${upper}+${lower}*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
const words = String.raw` ?[^(\s|.,!?…。，、।۔،)]+`
const deepSeekCjk = '[一-龥ࠀ-一가-퟿]+'
const deepSeekLetters =
  'A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙ\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212dℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃'
const punctuationRun = String.raw`[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_${'`'}{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
const deepSeek3 = [String.raw`\p{N}{1,3}`, '[一-龥぀-ゟ゠-ヿ]+', punctuationRun]

const single = String.raw`\p{N}`
const families: readonly (readonly [names: string, pattern: GgufPattern])[] = [
  ['default', { patterns: [String.raw`[\p{P}\$\+<=>\^~\|]+`, gpt2, String.raw`\p{N}+`, '[0-9][0-9][0-9]'] }],
  ['llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2', { patterns: [cl100k], ignoreMerges: true, addBegin: true }],
  ['dbrx smaug-bpe glm4 chatglm-bpe', { patterns: [cl100k] }],
  [
    'deepseek-llm',
    { patterns: ['[\\r\\n]', `\\s?[${deepSeekLetters}]+`, String.raw`\s?[!-/:-~！-／：-～‘-‟　-。]+`, String.raw`\s+$`, deepSeekCjk, String.raw`\p{N}+`] },
  ],
  ['deepseek-coder', { patterns: ['[\\r\\n]', String.raw`\s?\p{L}+`, String.raw`\s?\p{P}+`, deepSeekCjk, single] }],
  ['deepseek-v3 hunyuan-dense', { patterns: deepSeek3 }],
  ['falcon', { patterns: [String.raw`[\p{P}\$\+<=>\^~\|${'`'}]+`, gpt2, '[0-9][0-9][0-9]'] }],
  ['starcoder refact command-r smollm codeshell exaone minerva-7b', { patterns: [single, gpt2] }],
  [
    'gpt-2 mpt olmo jais phi-2 jina-es jina-de gigachat jina-v2-es jina-v2-de a.x-4.0 mellum exaone4 trillion granite-docling gpt-neox',
    { patterns: [gpt2] },
  ],
  ['jina-v1-en jina-v2-code roberta-bpe', { patterns: [gpt2], addSeparator: true }],
  ['qwen2 deepseek-r1-qwen kormo stablelm2 megrez hunyuan grok-2', { patterns: [singleDigits] }],
  ['bloom poro-chat gpt3-finnish', { patterns: [words] }],
  ['viking', { patterns: [words, single] }],
  ['tekken', { patterns: [tekken], ignoreMerges: true, addBegin: true }],
  ['gpt-4o llama4 minimax-m2', { patterns: [o200k] }],
  [
    'bailingmoe bailingmoe2 llada-moe',
    { patterns: [String.raw`'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`] },
  ],
  ['seed-coder', { patterns: [String.raw`(?i:${cased})|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+`] }],
  [
    'chameleon',
    {
      patterns: ['<sentinel:[0-9]+>', '(?:IMGIMG)(?:[A-I]{1,4})Z', '[\\t\\n]|    |  ', single, String.raw`[\p{P}!-/:-@\[-${'`'}{-~]`, gpt2],
      addBegin: true,
    },
  ],
]

/** By tokenizer.ggml.pre. */
export const ggufPatterns: ReadonlyMap<string, GgufPattern> = new Map(families.flatMap(([names, pattern]) => names.split(' ').map((name) => [name, pattern] as const)))
