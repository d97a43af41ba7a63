// How a step finds words and sentences. Thresholds are only comparable with the splitter they were set for: the default is English as
// the reference filters split it.
import type { TextDocument } from '@weft/contracts'
import { englishWords } from './english/tokenize.ts'

export interface WordOptions {
  /**
   * The words of a document, marks as words of their own. Default: English, by the rules of spaCy's blank("en"); texts in scripts without
   * spaces need a splitter of their own.
   */
  readonly words?: (document: TextDocument) => readonly string[]
}

export const wordsOf = ({ words }: WordOptions): ((document: TextDocument) => readonly string[]) => words ?? (({ text }) => englishWords(text))
