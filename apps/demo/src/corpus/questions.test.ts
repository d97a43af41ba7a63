import { expect, test } from 'vitest'
import { makeQuestions } from './questions.ts'

const documents = Array.from({ length: 40 }, (_, i) => ({ id: `d${i}`, text: `The ship number ${i} left the harbour. Nobody saw ship ${i} again that year. And so on.` }))

test('facts are asked in other words than they are trained in, and the same seed asks the same', () => {
  const options = { count: 60, seed: 3, isBooks: true }
  const { training, test: asked } = makeQuestions(documents, options)
  expect(makeQuestions(documents, options)).toEqual({ training, test: asked })
  const trained = new Set(training.map(({ question }) => question))
  expect(asked.length).toBeGreaterThan(10)
  expect(asked.filter(({ question }) => trained.has(question))).toEqual([])
  const answers = new Set(training.map(({ answer }) => answer))
  expect(asked.every(({ answer }) => answers.has(answer))).toBe(true)
})

test('of one’s own texts only how a passage goes on is asked', () => {
  const { training } = makeQuestions(documents, { count: 60, seed: 3, isBooks: false })
  expect(training).toHaveLength(15)
  for (const { question, answer } of training) {
    const ship = /number (\d+)/.exec(question)![1]
    expect(answer).toBe(`Nobody saw ship ${ship} again that year.`)
  }
})
