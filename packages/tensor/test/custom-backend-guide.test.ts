// The guide to writing a backend opens with a whole one. What stands there is what is tried here.
import { readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { describeBackend } from '@weft/tensor/testing'
import { createToyBackend } from '../examples/toy-backend.ts'
import { trainOnToy } from '../examples/train-on-toy-backend.ts'

const textOf = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
const blocks = [...textOf('../../../docs/guides/custom-backend.md').matchAll(/^```ts[^\n]*\n([\s\S]*?)^```$/gm)].map((match) => match[1]!)

test('the guide’s code is the code that these tests compile and run', () => {
  expect(blocks[0]).toBe(textOf('../examples/toy-backend.ts'))
  expect(blocks[2]).toBe(textOf('../examples/train-on-toy-backend.ts'))
})

describeBackend({ describe, it }, 'the toy of the guide', createToyBackend)

test('a model trains on it', async () => {
  const losses = await trainOnToy(60)
  expect(losses[0]).toBeGreaterThan(2.5)
  expect(losses.at(-1)).toBeLessThan(0.5)
})
