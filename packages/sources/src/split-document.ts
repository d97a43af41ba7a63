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
  const limit = hardLimit * targetCharacters
  let held = ''
  let start = 0 // of the next document in `held`
  // Both relative to `start`: where the search goes on (no piece is below half a target), and the last cut short of the target.
  let scanned = Math.floor(targetCharacters / 2)
  let before = -1

  /** How long the next document is; −1: more text is needed to know. Looks no further than the limit, so that it stays linear. */
  const findCut = (): number => {
    const text = held.slice(start, start + limit + 1)
    for (let found = next(text, scanned); found >= 0; found = next(text, found)) {
      scanned = found
      if (found >= targetCharacters) return before > 0 && targetCharacters - before <= found - targetCharacters ? before : found
      before = found
    }
    if (before > 0 && text.length > 2 * targetCharacters - before) return before
    if (text.length > limit) return forcedCut(text)
    if (text.length > scanned) scanned = openTail(text, scanned)
    return -1
  }

  const forcedCut = (text: string): number => {
    const sentence = splitAt === 'paragraph' ? nextSentenceEnd(text, targetCharacters) : -1
    if (sentence > 0) return sentence
    const space = text.lastIndexOf(' ', limit)
    if (space > targetCharacters) return space + 1
    const code = text.charCodeAt(limit - 1)
    return code >= 0xd800 && code < 0xdc00 ? limit + 1 : limit // never inside a surrogate pair
  }

  const take = (length: number): string => {
    const piece = held.slice(start, start + length).trim()
    start += length
    scanned = Math.floor(targetCharacters / 2)
    before = -1
    return piece
  }

  const takeAll = (): string[] => {
    const pieces: string[] = []
    for (let cut = findCut(); cut >= 0; cut = findCut()) pieces.push(take(cut))
    held = held.slice(start)
    start = 0
    return pieces.filter((piece) => piece !== '')
  }

  return {
    push: (text: string): string[] => {
      held += text
      return takeAll()
    },
    end: (): string[] => {
      const rest = takeAll()
      if (before > 0 && held.length > 1.5 * targetCharacters) rest.push(take(before))
      rest.push(take(held.length - start))
      return rest.filter((piece) => piece !== '')
    },
  }
}
