// Random strings that are awkward for tokenizers: words, white space of every kind, marks, scripts, emoji, added tokens, code points.

/** A small generator with a seed: mulberry32. */
export const createRandom = (seed: number) => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  const pick = <T>(items: readonly T[]): T => items[below(items.length)]!
  return { below, pick, chance: (probability: number): boolean => next() < probability }
}

export type Random = ReturnType<typeof createRandom>

export const words: readonly string[] = [
  'the', 'The', 'THE', 'quick', 'brown', 'foxes', 'don\'t', "DON'T", "it's", 'unaffable', 'running', 'low', 'lower', 'lowest', 'newer', 'wide',
  'Straße', 'naïve', 'café', 'cafe\u0301', 'Ångström', 'ﬁne', 'ǅ', 'İstanbul', 'ΣΟΦΟΣ', 'Σ', 'ΑΣ', 'ς', 'мир', 'Мир', 'שלום', 'שָׁלוֹם', 'مرحبا', 'مَرْحَبًا',
  'हिन्दी', 'ภาษาไทย', 'กำ', '日本語', 'テキスト', 'がぎ', 'か\u3099', '한국어', '\u1112\u1161\u11ab', '你好', '世界', '𠀀', '㐀', '豈', '１２３', '123', '3.14', '²³', '½', 'Ⅷ', '٣٤٥',
  'a_b', 'x-y', 'e.g.', 'http://a.b/c?d=e', '#tag', '@me', '(x)', '[y]', '…', '«q»', '“q”', '、', '。', '！', '¿', '$5', '€', '+', '<', '=>', '^', '`', '|', '~',
]

const pieces: readonly string[] = [
  ' ', '  ', '   ', '\t', '\n', '\r\n', '\r', '\n\n', '\u00a0', '\u3000', '\u2003', '\u200b', '\u200d', '\ufeff', '\u0085', '\u2028', '\u00ad', '\u0000', '\u0001', '\u007f', '\ufffd',
  '\u0301', '\u0323', '\u0302\u0323', '\u0345\u0301', '\u20dd', '\u1160', '\u11a8', '😀', '👩‍🚀', '❤️', '👍🏽', '🇩🇪', '🏴\u{e0067}\u{e007f}', '▁', '▁▁', 'Ġ', '##', '</w>', '<0x41>', '<0xC3>', '\u{1d400}', '\u{1e900}', '\u{11938}', '\u{11935}\u{11930}', '\u{105d2}\u0307',
]

/** Texts of added tokens that the pipelines may have. */
export const addedTexts: readonly string[] = ['<s>', '</s>', '[MASK]', '[SEP]', '<|end|>', '<unk>', 'Ångström', 'low', '  ', 'não']

const blocks: readonly (readonly [number, number])[] = [
  [0x20, 0x7f], [0x80, 0x250], [0x300, 0x70], [0x370, 0x300], [0x590, 0x300], [0x900, 0x500], [0xe00, 0x200], [0x1000, 0x1000], [0x2000, 0x800], [0x2e80, 0x400], [0x3000, 0x1000],
  [0x4e00, 0x5200], [0xa000, 0x0c00], [0xac00, 0x2ba4], [0xf900, 0x700], [0x10000, 0x2000], [0x16000, 0x1000], [0x1d000, 0x1000], [0x1f000, 0xc00], [0x20000, 0x3000], [0x0, 0xd800],
]

export const randomText = (random: Random): string => {
  const parts = random.below(random.chance(0.05) ? 40 : 9)
  let text = ''
  for (let i = 0; i < parts; i++) {
    const kind = random.below(10)
    if (kind < 4) text += random.pick(words)
    else if (kind < 6) text += random.pick(pieces)
    else if (kind < 7) text += random.pick(addedTexts)
    else if (kind < 8) text += ' '
    else text += codePoint(random)
  }
  return text
}

const codePoint = (random: Random): string => {
  const [first, size] = random.pick(blocks)
  return String.fromCodePoint(first + random.below(size))
}
