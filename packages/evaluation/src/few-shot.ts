// Solved examples before a question: instructions + example + separator + … + question.
import { ConfigError, type RandomSource } from '@weft/contracts'
import type { FewShot } from './task.ts'

export interface FewShotOptions<Item> {
  readonly taskName: string
  readonly items: readonly Item[]
  readonly instructions?: string | undefined
  readonly fewShot?: FewShot<Item> | undefined
  /** Overrides the task's own count. */
  readonly numFewShot?: number | undefined
  /** A solved example as the model reads it. */
  readonly render: (item: Item) => string
  readonly random: RandomSource
}

export interface FewShotPrompt {
  readonly count: number
  readonly separator: string
  /** What stands before the question of this item. */
  prefix(index: number): string
}

/** @throws ConfigError where there are fewer examples than asked for. */
export const fewShotPrompt = <Item>(options: FewShotOptions<Item>): FewShotPrompt => {
  const { items, instructions = '', fewShot = {}, render, random, taskName } = options
  const count = options.numFewShot ?? fewShot.count ?? 0
  const separator = fewShot.separator ?? '\n\n'
  const examples = fewShot.examples ?? items
  const isOwn = fewShot.examples === undefined
  const available = examples.length - (isOwn ? 1 : 0)
  if (count > available) throw new ConfigError(`task "${taskName}": expected at least ${count} solved examples, there are ${available}`)
  const pick = (index: number): number[] => {
    if (count === 0) return []
    const drawn =
      fewShot.sampler === 'first'
        ? [...examples.keys()].slice(0, count + 1)
        : sampleIndices(random.fork(index), examples.length, Math.min(examples.length, count + 1))
    return drawn.filter((place) => !(isOwn && place === index)).slice(0, count)
  }
  return {
    count,
    separator,
    prefix: (index) =>
      instructions +
      pick(index)
        .map((place) => render(examples[place]!) + separator)
        .join(''),
  }
}

/** `count` different numbers below `size`, in random order: the first steps of a Fisher-Yates shuffle, the list kept as a sparse map. */
const sampleIndices = (random: RandomSource, size: number, count: number): number[] => {
  const moved = new Map<number, number>()
  return Array.from({ length: count }, (_, i) => {
    const j = i + Math.floor(random.nextFloat() * (size - i))
    const drawn = moved.get(j) ?? j
    moved.set(j, moved.get(i) ?? i)
    return drawn
  })
}
