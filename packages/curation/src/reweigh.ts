// Weights that make a corpus say the same of every group (Kamiran & Calders 2012), and that give every group the same weight. They go into
// `metadata.weight`, which training multiplies the loss with; a weight that is there already is multiplied.
import { ConfigError, type TextDocument } from '@weft/contracts'
import { career, family } from './lexicon/attributes.ts'
import { dominantAttribute, dominantGroup, toGrouping, type Grouping } from './lexicon/dominant-group.ts'
import { checkNames, dropFor } from './limits.ts'
import { createReservoir } from './sample.ts'
import { keep, type Step, type Verdict } from './step.ts'

export interface ReweighOptions {
  /** A metadata key or a function; default: the gender that a document mentions most. Documents without one keep their weight. */
  readonly group?: string | Grouping
  /** What groups are associated with; default: whether a document speaks more of career or of family. */
  readonly label?: string | Grouping
}

/**
 * Weights w(g, y) = N_g · N_y / (N · N_gy): under them group and label are independent, each group and each label keeps its total weight, and
 * so does the corpus.
 */
export const reweigh = (options: ReweighOptions = {}): Step => {
  const name = 'reweigh'
  checkNames(name, options, ['group', 'label'])
  const groupOf = toGrouping(options.group ?? dominantGroup())
  const labelOf = toGrouping(options.label ?? dominantAttribute([career, family]))
  const isJson = typeof options.group !== 'function' && typeof options.label !== 'function'
  return {
    name,
    ...(isJson ? { config: { ...options } as Record<string, string> } : {}),
    start: async () => {
      const counts = createCounts()
      const cellOf = (document: TextDocument): [string, string] | undefined => {
        const group = groupOf(document)
        const label = group === undefined ? undefined : labelOf(document)
        return group === undefined || label === undefined ? undefined : [group, label]
      }
      return {
        observe: (document) => {
          const cell = cellOf(document)
          if (cell === undefined) return
          counts.add('all')
          counts.add(JSON.stringify([cell[0], null]))
          counts.add(JSON.stringify([null, cell[1]]))
          counts.add(JSON.stringify(cell))
        },
        apply: (document) => {
          const cell = cellOf(document)
          if (cell === undefined) return keep(document)
          const [inGroup, withLabel] = [counts.of(JSON.stringify([cell[0], null])), counts.of(JSON.stringify([null, cell[1]]))]
          return keep(weighted(document, (inGroup * withLabel) / (counts.of('all') * counts.of(JSON.stringify(cell)))))
        },
      }
    },
  }
}

export interface BalanceOptions {
  /** A metadata key or a function; default: the gender that a document mentions most. Documents without one stay as they are. */
  readonly group?: string | Grouping
  /** `weight` (the default) gives every group the same total weight; `sample` drops at random down to the smallest group. */
  readonly method?: 'weight' | 'sample'
}

/** Makes groups count alike: by weights N / (G · N_g), or by dropping. */
export const balance = (options: BalanceOptions = {}): Step => {
  const name = 'balance'
  checkNames(name, options, ['group', 'method'])
  const { method = 'weight' } = options
  if (method !== 'weight' && method !== 'sample') throw new ConfigError(`${name}: method: expected "weight" or "sample", got ${JSON.stringify(method)}`)
  const groupOf = toGrouping(options.group ?? dominantGroup())
  return {
    name,
    ...(typeof options.group === 'function' ? {} : { config: { ...options, method } as Record<string, string> }),
    start: async ({ random }) => (method === 'weight' ? balanceWeights(groupOf) : balanceCounts(groupOf, (group) => random.fork(group))),
  }
}

const balanceWeights = (groupOf: Grouping) => {
  const counts = createCounts()
  return {
    observe: (document: TextDocument): void => {
      const group = groupOf(document)
      if (group !== undefined) counts.add(group)
    },
    apply: (document: TextDocument): Verdict => {
      const group = groupOf(document)
      return keep(group === undefined ? document : weighted(document, counts.total() / (counts.size() * counts.of(group))))
    },
  }
}

/** Two passes: how large the groups are is known only when all were seen, so each group's order of dropping is drawn beforehand. */
const balanceCounts = (groupOf: Grouping, randomFor: (group: string) => Parameters<typeof createReservoir>[1]) => {
  const indexes = new Map<string, number[]>()
  const chosen = new Set<number>()
  let smallest = 0
  return {
    observe: (document: TextDocument, index: number): void => {
      const group = groupOf(document)
      if (group === undefined) return
      const list = indexes.get(group)
      if (list) list.push(index)
      else indexes.set(group, [index])
    },
    seal: async (): Promise<void> => {
      smallest = [...indexes.values()].reduce((least, list) => Math.min(least, list.length), Number.POSITIVE_INFINITY)
      for (const [group, list] of indexes) {
        const reservoir = createReservoir(smallest, randomFor(group))
        for (const index of list) reservoir.add(index)
        for (const index of reservoir.items) chosen.add(index)
      }
    },
    apply: (document: TextDocument, index: number): Verdict => {
      const group = groupOf(document)
      return group === undefined || chosen.has(index) ? keep(document) : dropFor('balance', indexes.get(group)?.length ?? 0, smallest)
    },
  }
}

const weighted = (document: TextDocument, factor: number): TextDocument => {
  const before = document.metadata?.['weight']
  return { ...document, metadata: { ...document.metadata, weight: (typeof before === 'number' ? before : 1) * factor } }
}

const createCounts = () => {
  const counts = new Map<string, number>()
  let total = 0
  return {
    add: (key: string): void => {
      total++
      counts.set(key, (counts.get(key) ?? 0) + 1)
    },
    of: (key: string): number => counts.get(key) ?? 0,
    total: (): number => total,
    size: (): number => counts.size,
  }
}
