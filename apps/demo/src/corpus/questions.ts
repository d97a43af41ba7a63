// Questions whose answers stand in the corpus: who spoke in which year, of which party, what a chapter is called, how a passage goes on.
// Facts are asked in several ways; one way is kept for the test, so that it is the fact that is tested, not the wording.
import { createRandomSource, type ChatMessage, type TextDocument } from '@weft/contracts'
import { readChapters, readSpeeches } from './books.ts'

export interface Question {
  readonly question: string
  readonly answer: string
}

export interface QuestionSet {
  readonly training: readonly Question[]
  readonly test: readonly Question[]
}

/** How a passage goes on: short sentence → next sentence; where a text has too few of these, some words → the next ones. */
const continuations = (documents: readonly TextDocument[]): Question[] => {
  const bySentence = documents.flatMap(({ text }) => {
    const [first, second] = text.split(/(?<=[.?!])\s+/)
    if (first === undefined || second === undefined || first.length > 160 || second.length > 100 || second.length < 20) return []
    return [{ question: `How does this go on? ${first}`, answer: second }]
  })
  return bySentence.length >= 4 ? bySentence : documents.flatMap(({ text }) => byWords(text))
}

const byWords = (text: string): Question[] => {
  const words = text.split(/\s+/).filter((word) => word !== '')
  return words.length < 12 ? [] : [{ question: `How does this go on? ${words.slice(0, 8).join(' ')}`, answer: words.slice(8, 12).join(' ') }]
}

/** @param isBooks whether the corpus is the demo's own, whose facts are known. */
export const makeQuestions = (documents: readonly TextDocument[], options: { readonly count: number; readonly seed: number; readonly isBooks: boolean }): QuestionSet => {
  const { count, seed, isBooks } = options
  const facts = isBooks ? bookFacts() : []
  const random = createRandomSource({ seed }).fork('questions')
  const shuffled = <T>(items: readonly T[]): T[] => items.map((item) => ({ item, at: random.nextFloat() })).sort((a, b) => a.at - b.at).map(({ item }) => item)
  const passages = shuffled(continuations(documents)).slice(0, Math.ceil(count / 4))
  const asked = shuffled(facts).slice(0, Math.ceil(count / 3))
  const training = shuffled([...asked.flatMap(({ ways, answer }) => ways.slice(1).map((question) => ({ question, answer }))), ...passages])
  const test = asked.length > 0 ? asked.slice(0, 30).map(({ ways, answer }) => ({ question: ways[0]!, answer })) : passages.slice(0, 30)
  return { training, test }
}

const bookFacts = (): { readonly ways: readonly string[]; readonly answer: string }[] => [
  ...readSpeeches().map(({ year, name }) => ({ ways: [`Who was the speaker in ${year}?`, `Who spoke in ${year}?`, `Whose speech is from ${year}?`], answer: `${name}.` })),
  ...readSpeeches().map(({ name, party }) => ({ ways: [`Which party was ${name} in?`, `What was the party of ${name}?`, `To which party did ${name} belong?`], answer: `${party}.` })),
  ...readChapters().map(({ title, chapter }) => ({ ways: [`How is chapter ${chapter} called?`, `What is the title of chapter ${chapter}?`, `Name chapter ${chapter}.`], answer: `${title.replace(/\.$/, '')}.` })),
]

export const conversation = ({ question, answer }: Question): ChatMessage[] => [
  { role: 'user', content: question },
  { role: 'assistant', content: answer },
]
