// Random subsets: each document with a probability, or a fixed number out of all (reservoir sampling, Vitter 1985, algorithm R).
import { ConfigError, type RandomSource } from '@weft/contracts'
import { checkInteger, checkNames, dropFor } from './limits.ts'
import { keep, type Step } from './step.ts'

export type SampleOptions =
  /** The probability of each document, 0 to 1; streaming. */
  | { readonly fraction: number }
  /** Exactly so many, or all if there are fewer; every subset is equally likely. */
  | { readonly count: number }

/** Keeps a random part, by the run's seed. @throws ConfigError for a fraction outside 0 to 1 or a count that is no integer. */
export const sample = (options: SampleOptions): Step => {
  const name = 'sample'
  checkNames(name, options, ['fraction', 'count'])
  if ('count' in options) {
    const { count } = options
    checkInteger(name, 'count', count, 0, 2 ** 24) // the chosen ones are held in memory
    return { name, config: { count }, start: async ({ random }) => sampleCount(count, random) }
  }
  const { fraction } = options
  if (typeof fraction !== 'number' || !(fraction >= 0 && fraction <= 1)) throw new ConfigError(`${name}: fraction: expected a number from 0 to 1, got ${fraction}`)
  return {
    name,
    config: { fraction },
    start: async ({ random }) => ({
      apply: (document) => {
        const draw = random.nextFloat()
        return draw < fraction ? keep(document) : dropFor('sample', draw, fraction)
      },
    }),
  }
}

const sampleCount = (count: number, random: RandomSource) => {
  const reservoir = createReservoir(count, random)
  let chosen = new Set<number>()
  let seen = 0
  return {
    observe: (_: unknown, index: number): void => {
      seen++
      reservoir.add(index)
    },
    seal: async (): Promise<void> => {
      chosen = new Set(reservoir.items)
    },
    apply: (document: Parameters<typeof keep>[0], index: number) => (chosen.has(index) ? keep(document) : dropFor('sample', seen, count)),
  }
}

/** A uniform subset of at most `size` of the items added. */
export const createReservoir = (size: number, random: RandomSource) => {
  const items: number[] = []
  let seen = 0
  return {
    items: items as readonly number[],
    add: (item: number): void => {
      const place = Math.floor(random.nextFloat() * ++seen)
      if (items.length < size) items.push(item)
      else if (place < size) items[place] = item
    },
  }
}
