// Long texts into documents of about the same length, cut at whole sentences or paragraphs, in bounded memory.
import { ConfigError, type TextDocument } from '@weft/contracts'
import { nextParagraphEnd, nextSentenceEnd, openTail } from './sentence-ends.ts'

export interface SplitOptions {
  readonly splitAt: 'paragraph' | 'sentence'
  /** About how long the pieces are, in UTF-16 code units; default 1500. */
  readonly targetCharacters?: number
}

/**
 * A document as several, each a run of whole sentences or paragraphs of about `targetCharacters`, with the id `id#1`, `id#2`, ….
 * Every character but white space at the cuts is kept, in order. A sentence or paragraph longer than eight targets is cut at a
 * space (a paragraph: after a sentence, if it has one).
 * @throws ConfigError when targetCharacters is not a positive integer.
 */
export function* splitDocument(document: TextDocument, options: SplitOptions): Generator<TextDocument, void, undefined> {
  const splitter = textSplitter(options)
  let part = 0
  for (const text of [...splitter.push(document.text), ...splitter.end()]) yield { ...document, id: `${document.id}#${++part}`, text }
}

// Beyond this many targets a text without a place to cut is cut anyway: it would not fit into memory otherwise.
const hardLimit = 8

/** Cuts text that arrives in parts; what it holds back stays below some eight targets and one part. */
export const textSplitter = ({ splitAt, targetCharacters = 1500 }: SplitOptions) => {
  if (!Number.isSafeInteger(targetCharacters) || targetCharacters < 1) {
    throw new ConfigError(`targetCharacters: expected a positive integer, got ${targetCharacters}`)
  }
  if (splitAt !== 'paragraph' && splitAt !== 'sentence') {
    throw new ConfigError(`splitAt: expected 'paragraph' or 'sentence', got ${JSON.stringify(splitAt)}`)
  }
  const next = splitAt === 'paragraph' ? nextParagraphEnd : nextSentenceEnd
  let held = ''
  let start = 0
  let scanned = Math.floor(targetCharacters / 2) // where the search goes on: no piece below half a target, no text searched twice
  let before = -1 // the last possible cut short of the target

  /** Where the document that begins at `start` ends; −1: more text is needed to know. */
  const findCut = (): number => {
    const target = start + targetCharacters
    for (;;) {
      const found = next(held, scanned)
      if (found < 0) break
      scanned = found
      if (found >= target && before > 0 && target - before <= found - target) return before
      if (found - start > hardLimit * targetCharacters) return forcedCut(target)
      if (found >= target) return found
      before = found
    }
    if (held.length > scanned) scanned = openTail(held, scanned)
    if (before > 0 && held.length > 2 * target - before) return before
    return held.length - start > hardLimit * targetCharacters ? forcedCut(target) : -1
  }

  const forcedCut = (target: number): number => {
    const limit = start + hardLimit * targetCharacters
    const sentence = splitAt === 'paragraph' ? nextSentenceEnd(held.slice(0, limit), target) : -1
    if (sentence > 0) return sentence
    const space = held.lastIndexOf(' ', limit)
    if (space > target) return space + 1
    const code = held.charCodeAt(limit - 1)
    return code >= 0xd800 && code < 0xdc00 ? limit + 1 : limit // never inside a surrogate pair
  }

  const take = (end: number): string => {
    const piece = held.slice(start, end).trim()
    start = end
    scanned = end + Math.floor(targetCharacters / 2)
    before = -1
    return piece
  }

  const cutAll = (): string[] => {
    const pieces: string[] = []
    for (let cut = findCut(); cut >= 0; cut = findCut()) pieces.push(take(cut))
    held = held.slice(start)
    scanned -= start
    if (before > 0) before -= start
    start = 0
    return pieces.filter((piece) => piece !== '')
  }

  return {
    push: (text: string): string[] => {
      held += text
      return cutAll()
    },
    end: (): string[] => {
      const rest = cutAll()
      if (before > 0 && held.length > 1.5 * targetCharacters) rest.push(take(before))
      rest.push(held.slice(start).trim())
      held = ''
      return rest.filter((piece) => piece !== '')
    },
  }
}
