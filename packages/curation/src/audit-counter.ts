// The counting behind the bias audit: one pass over the texts, mentions of groups, words of attribute lists and the pairs of both that stand near
// each other, added up over the corpus and for blocks of text. Knows nothing of statistics.
import { createTermMatcher } from './lexicon/term-matcher.ts'
import type { AttributeList, GroupFamily } from './lexicon/word-family.ts'

const pronounLists = {
  female: 'she her hers herself'.split(' '),
  male: 'he him his himself'.split(' '),
  neutral: 'they them their theirs themselves themself'.split(' '),
}

const blockWords = 500 // a page or so: about as far as a topic carries; words within it are not independent
const maxBlocks = 1 << 14 // plenty for a variance, some tens of megabytes

/** Mentions in one document or slice. */
export interface Tally {
  documents: number
  words: number
  readonly groups: number[]
  readonly pronouns: number[]
}

export const pronounNames = ['female', 'male', 'neutral'] as const

export type AuditCounter = ReturnType<typeof createAuditCounter>

/** Counts over all documents: lists are the families' groups in order, then the attributes, then the pronouns. */
export const createAuditCounter = (families: readonly GroupFamily[], attributes: readonly AttributeList[], windowSize: number) => {
  const groupLists = families.flatMap(({ groups }) => Object.values(groups))
  const attributeLists = attributes.map(({ words }) => words)
  const lists = [...groupLists, ...attributeLists, ...Object.values(pronounLists)]
  const matcher = createTermMatcher(lists)
  const numGroups = groupLists.length
  const firstPronoun = numGroups + attributeLists.length
  const termCounts = lists.map((terms) => new Float64Array(terms.length))
  const documentsWith = new Float64Array(numGroups)
  /** Words of an attribute near a group: [group][attribute][word]. */
  const near = groupLists.map(() => attributeLists.map((words) => new Float64Array(words.length)))
  const blocks = createBlockList()
  let words = 0

  const countBlock = (hits: readonly Hit[], size: number): void => {
    const block: BlockCounts = { words: size, lists: new Map(), pairs: new Map() }
    for (const { list } of hits) block.lists.set(list, (block.lists.get(list) ?? 0) + 1)
    forEachPair(hits, numGroups, firstPronoun, windowSize, (group, hit) => {
      const attribute = hit.list - numGroups
      near[group]![attribute]![hit.term]!++
      const key = group * attributeLists.length + attribute
      block.pairs.set(key, (block.pairs.get(key) ?? 0) + 1)
    })
    blocks.add(block)
  }

  return {
    numGroups, firstPronoun, termCounts, documentsWith, near,
    blocks: () => blocks.all(),
    words: () => words,
    add: (text: string): Tally => {
      const tally: Tally = { documents: 1, words: 0, groups: new Array<number>(numGroups).fill(0), pronouns: [0, 0, 0] }
      let hits: Hit[] = []
      let blockStart = 0
      const size = matcher.forEachHit(text, ({ list, term }, word) => {
        while (word >= blockStart + blockWords) {
          countBlock(hits, blockWords)
          hits = []
          blockStart += blockWords
        }
        hits.push({ list, term, word })
        termCounts[list]![term]!++
        if (list < numGroups) tally.groups[list]!++
        else if (list >= firstPronoun) tally.pronouns[list - firstPronoun]!++
      })
      if (size > blockStart) countBlock(hits, size - blockStart)
      for (const [group, count] of tally.groups.entries()) if (count > 0) documentsWith[group]!++
      words += size
      tally.words = size
      return tally
    },
  }
}

interface Hit {
  readonly list: number
  readonly term: number
  readonly word: number
}

/** What one block holds: hits by list, pairs by group · attributes + attribute. */
export interface BlockCounts {
  words: number
  readonly lists: Map<number, number>
  readonly pairs: Map<number, number>
}

/** Blocks in a bounded number: when there are too many, neighbours are joined, now and from then on. */
const createBlockList = () => {
  let blocks: BlockCounts[] = []
  let joined = 1 // how many blocks of text one of ours holds
  let open = 0 // how many the last one holds
  const join = (into: BlockCounts, from: BlockCounts): void => {
    into.words += from.words
    for (const [key, count] of from.lists) into.lists.set(key, (into.lists.get(key) ?? 0) + count)
    for (const [key, count] of from.pairs) into.pairs.set(key, (into.pairs.get(key) ?? 0) + count)
  }
  return {
    all: (): readonly BlockCounts[] => blocks,
    add: (block: BlockCounts): void => {
      if (open > 0 && open < joined) {
        join(blocks.at(-1)!, block)
        open++
        return
      }
      if (blocks.length >= maxBlocks) {
        for (let i = 0; i + 1 < blocks.length; i += 2) join(blocks[i]!, blocks[i + 1]!)
        blocks = blocks.filter((_, i) => i % 2 === 0)
        joined *= 2
      }
      blocks.push(block)
      open = 1
    },
  }
}

/** Each attribute hit with each group hit at most `windowSize` words away; hits are in order of place. */
const forEachPair = (hits: readonly Hit[], numGroups: number, firstPronoun: number, windowSize: number, visit: (group: number, hit: Hit) => void): void => {
  let from = 0
  for (const hit of hits) {
    while (hits[from]!.word < hit.word - windowSize) from++
    if (hit.list < numGroups || hit.list >= firstPronoun) continue
    for (let i = from; i < hits.length && hits[i]!.word <= hit.word + windowSize; i++) {
      const other = hits[i]!
      // The word itself is not its own company ("priest" is both a religion's and an occupation's word).
      if (other.list < numGroups && other.word !== hit.word) visit(other.list, hit)
    }
  }
}

