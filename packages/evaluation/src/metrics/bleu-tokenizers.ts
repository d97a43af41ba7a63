// How BLEU cuts a line into tokens: the rules of NIST's mteval script (v13a, and v14's international mode), characters, Chinese.
// A BLEU score means nothing without the name of its tokenizer.
import { splitSpaced } from './text-units.ts'

export type BleuTokenizer = '13a' | 'intl' | 'char' | 'zh' | 'none'

/** ASCII symbols stand alone; a period or comma does unless it is between digits; so does a dash after a digit. */
const separateAscii = (line: string): string =>
  line
    .replace(/[{-~[-` -&(-+:-@/]/g, ' $& ')
    .replace(/([^0-9])([.,])/g, '$1 $2 ')
    .replace(/([.,])([^0-9])/g, ' $1 $2')
    .replace(/([0-9])(-)/g, '$1 $2 ')

const mteval13a = (line: string): string => {
  const joined = line.replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ')
  const unescaped = joined.replaceAll('&quot;', '"').replaceAll('&amp;', '&').replaceAll('&lt;', '<').replaceAll('&gt;', '>')
  return separateAscii(` ${unescaped} `)
}

const international = (line: string): string =>
  line
    .replace(/(\P{N})(\p{P})/gu, '$1 $2 ')
    .replace(/(\p{P})(\P{N})/gu, ' $1 $2')
    .replace(/\p{S}/gu, ' $& ')

/** CJK radicals, ideographs, punctuation, full-width forms, vertical forms, Bopomofo and the like. */
const chineseCharacter =
  /[\u2600-\u27bf\u2e80-\u312f\u31a0-\u31bf\u31c0-\u31ef\u3200-\u32ff\u3300-\u4dbf\u4e00-\u9fff\uf900-\ufaff\ufe10-\ufe1f\ufe30-\ufe4f\uff00-\uffef\u{20000}-\u{2fa1f}]/gu

const tokenizers: Readonly<Record<BleuTokenizer, (line: string) => string>> = {
  '13a': mteval13a,
  intl: international,
  char: (line) => [...line].join(' '),
  zh: (line) => separateAscii(line.trim().replace(chineseCharacter, ' $& ')),
  none: (line) => line,
}

export const tokenizeForBleu = (line: string, tokenizer: BleuTokenizer): string[] => splitSpaced(tokenizers[tokenizer](line.trimEnd()))
