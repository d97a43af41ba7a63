// Which tokens go through the model together when many texts are scored. Texts with a long common beginning (the answers to one
// question, few-shot prompts) share its computation; the rest is batched by length. Knows no tensors.

/** Tokens to feed, and what their last positions must predict. */
export interface ScoreUnit {
  /** Whose it is; a long text has several. */
  readonly index: number
  readonly input: Uint32Array
  readonly targets: Uint32Array
}

/** Units whose first `prefixLength` input tokens are the same. */
interface ScoreGroup {
  readonly prefixLength: number
  readonly units: readonly ScoreUnit[]
}

/** Groups that run in one pass, all with a shared beginning or all without. */
export type ScoreBatch = readonly ScoreGroup[]

// Below that, a second pass costs more than the tokens it saves.
const shortestPrefix = 8

/**
 * @param options.maxBatchTokens the most tokens (padding included) of one pass; a single longer text is a pass of its own.
 */
export const planScoring = (units: readonly ScoreUnit[], options: { readonly maxBatchTokens: number }): ScoreBatch[] => {
  const { maxBatchTokens } = options
  const groups = groupByPrefix(units)
  const alone = groups.filter(({ prefixLength }) => prefixLength === 0)
  const shared = groups.filter(({ prefixLength }) => prefixLength > 0).flatMap((group) => splitGroup(group, maxBatchTokens))
  return [...packed(alone, maxBatchTokens), ...packed(shared, maxBatchTokens)]
}

/** Sorted by their tokens, neighbours share the most; a group grows while its common beginning is at least half of its longest text. */
const groupByPrefix = (units: readonly ScoreUnit[]): ScoreGroup[] => {
  const sorted = [...units].sort((a, b) => compareTokens(a.input, b.input))
  const groups: ScoreGroup[] = []
  let members: ScoreUnit[] = []
  let common = 0
  let longest = 0
  const close = (): void => {
    const [first] = members
    if (first === undefined) return
    if (members.length > 1) groups.push({ prefixLength: common, units: members })
    else groups.push({ prefixLength: 0, units: members })
  }
  for (const unit of sorted) {
    const [first] = members
    const next = first === undefined ? 0 : Math.min(common, commonPrefix(first.input, unit.input), firstWanted(unit))
    longest = Math.max(longest, unit.input.length)
    if (first !== undefined && next >= shortestPrefix && 2 * next >= longest) {
      members.push(unit)
      common = next
      continue
    }
    close()
    members = [unit]
    common = firstWanted(unit)
    longest = unit.input.length
  }
  close()
  return groups
}

/** The first position whose prediction counts: it must not be inside the shared beginning. */
const firstWanted = ({ input, targets }: ScoreUnit): number => input.length - targets.length

const compareTokens = (a: Uint32Array, b: Uint32Array): number => {
  const i = commonPrefix(a, b)
  return (a[i] ?? -1) - (b[i] ?? -1)
}

const commonPrefix = (a: Uint32Array, b: Uint32Array): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i
  return length
}

/** The tokens of a unit that are its own. */
const tailLength = ({ input }: ScoreUnit, { prefixLength }: ScoreGroup): number => input.length - prefixLength

const longestTail = (group: ScoreGroup): number => group.units.reduce((longest, unit) => Math.max(longest, tailLength(unit, group)), 0)

/** What decides how many padded tokens a pass has: all tails go to the longest, and so do all beginnings. */
interface Extent {
  readonly rows: number
  readonly tail: number
  readonly prefix: number
}

const extentOf = (group: ScoreGroup): Extent => ({ rows: group.units.length, tail: longestTail(group), prefix: group.prefixLength })

const joined = (a: Extent, b: Extent): Extent => ({ rows: a.rows + b.rows, tail: Math.max(a.tail, b.tail), prefix: Math.max(a.prefix, b.prefix) })

// The cache of a shared beginning is copied to every row, so it counts for each.
const costOf = ({ rows, tail, prefix }: Extent): number => rows * (tail + prefix)

/** A group of many texts is cut, so that no pass is larger than the limit. */
const splitGroup = (group: ScoreGroup, maxBatchTokens: number): ScoreGroup[] => {
  const rows = Math.max(1, Math.floor(maxBatchTokens / (longestTail(group) + group.prefixLength)))
  return Array.from({ length: Math.ceil(group.units.length / rows) }, (_, i) => ({ ...group, units: group.units.slice(i * rows, (i + 1) * rows) }))
}

/** Longest first, as many together as fit: neighbours are alike in length, so that little is padding. */
const packed = (groups: readonly ScoreGroup[], maxBatchTokens: number): ScoreBatch[] => {
  const lengthOf = ({ tail, prefix }: Extent): number => tail + prefix
  const sorted = groups.map((group) => ({ group, extent: extentOf(group) })).sort((a, b) => lengthOf(b.extent) - lengthOf(a.extent))
  const batches: ScoreGroup[][] = []
  let open: Extent | undefined
  for (const { group, extent } of sorted) {
    const wider = open === undefined ? undefined : joined(open, extent)
    if (wider !== undefined && costOf(wider) <= maxBatchTokens) {
      batches.at(-1)!.push(group)
      open = wider
    } else {
      batches.push([group])
      open = extent
    }
  }
  return batches
}
