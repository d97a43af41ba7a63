// Mends text that went through the wrong decoder or carries characters that say nothing: UTF-8 read as Windows-1252 ("donâ€™t"), control
// and zero-width characters, lone surrogates, carriage returns, decomposed accents. What cannot be mended is left alone.
import { checkNames } from './limits.ts'
import { editDocument, pureStep, type Edit, type Span, type Step } from './step.ts'

export interface FixUnicodeOptions {
  /** UTF-8 that was read as Windows-1252 or Latin-1; default true. */
  readonly mojibake?: boolean
  /** Removes control characters except tab and line feed, byte order marks and zero-width spaces; lone surrogates become U+FFFD. Default true. */
  readonly invisible?: boolean
  /** \r\n and \r become \n; default true. */
  readonly lineEnds?: boolean
  /** Composes accents (NFC); default true. */
  readonly compose?: boolean
}

type Replacement = { readonly span: Span; readonly replacement: string }

/** Windows-1252's characters for the bytes 0x80 to 0x9f; five bytes have none. */
const windows1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ'
const byteOf = new Map([...windows1252].map((character, i) => [character, 0x80 + i]))
const toByte = (character: string): number | undefined => {
  const unit = character.charCodeAt(0)
  return byteOf.get(character) ?? (unit >= 0xa0 && unit <= 0xff ? unit : undefined)
}

const continuation = `[\\u0080-\\u00bf${[...windows1252].filter((character) => character.charCodeAt(0) > 0xff).join('')}]`
const misread = new RegExp(`[\\u00c2-\\u00df]${continuation}|[\\u00e0-\\u00ef]${continuation}{2}|[\\u00f0-\\u00f4]${continuation}{3}`, 'g')
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const undoMisreading = (text: string): string => {
  const bytes = [...text].map(toByte)
  if (bytes.includes(undefined)) return text
  try {
    return decoder.decode(Uint8Array.from(bytes as number[]))
  } catch {
    return text // not UTF-8 after all
  }
}

/** Each fixer: what it looks at, what it makes of it. They run one after the other. */
const fixers: readonly { readonly option: keyof FixUnicodeOptions; readonly pattern: RegExp; fix(found: string): string }[] = [
  { option: 'mojibake', pattern: misread, fix: undoMisreading },
  { option: 'lineEnds', pattern: /\r\n?/g, fix: () => '\n' },
  { option: 'invisible', pattern: /(?:(?![\t\n\r\u0085])[\p{Cc}\u200b\u2060\ufeff])+/gu, fix: () => '' },
  { option: 'invisible', pattern: /\p{Surrogate}/gu, fix: () => '\ufffd' },
  // a letter of ASCII may carry the accents that follow
  { option: 'compose', pattern: /\p{ASCII}?\P{ASCII}+/gu, fix: (found) => found.normalize('NFC') },
]

/** Mends encoding faults; every change is an edit. */
export const fixUnicode = (options: FixUnicodeOptions = {}): Step => {
  const name = 'fixUnicode'
  checkNames(name, options, ['mojibake', 'invisible', 'lineEnds', 'compose'])
  const active = fixers.filter(({ option }) => options[option] ?? true)
  return pureStep(name, { mojibake: true, invisible: true, lineEnds: true, compose: true, ...options }, (document) => {
    let edits: readonly Edit[] = []
    let current = document
    for (const { pattern, fix } of active) {
      const verdict = editDocument(name, current, findReplacements(current.text, pattern, fix))
      if (!('keep' in verdict)) continue
      current = verdict.keep[0]!
      edits = [...edits, ...(verdict.edits ?? [])]
    }
    return { keep: [current], edits }
  })
}

const findReplacements = (text: string, pattern: RegExp, fix: (found: string) => string): Replacement[] => {
  const replacements: Replacement[] = []
  for (const match of text.matchAll(pattern)) {
    const replacement = fix(match[0])
    if (replacement !== match[0]) replacements.push({ span: [match.index, match.index + match[0].length], replacement })
  }
  return replacements
}
