// Sorts a document into a group by the words that it uses most: what reweighing and balancing ask by default.
import type { TextDocument } from '@weft/contracts'
import { gender } from './gender.ts'
import { createTermMatcher } from './term-matcher.ts'
import type { AttributeList, GroupFamily } from './word-family.ts'

/** A document's group, or undefined where it has none. */
export type Grouping = (document: TextDocument) => string | undefined

const mostFrequent = (names: readonly string[], lists: readonly (readonly string[])[]): Grouping => {
  const matcher = createTermMatcher(lists)
  return ({ text }) => {
    const counts = new Array<number>(names.length).fill(0)
    matcher.forEachHit(text, ({ list }) => counts[list]!++)
    const most = Math.max(...counts)
    const isTie = counts.filter((count) => count === most).length > 1
    return most === 0 || isTie ? undefined : names[counts.indexOf(most)]
  }
}

/** The group that a document mentions most; undefined if it mentions none, or two equally often. */
export const dominantGroup = (family: GroupFamily = gender): Grouping => mostFrequent(Object.keys(family.groups), Object.values(family.groups))

/** The list that most of a document's listed words come from; undefined if none, or two lists alike. */
export const dominantAttribute = (attributes: readonly AttributeList[]): Grouping =>
  mostFrequent(attributes.map(({ name }) => name), attributes.map(({ words }) => words))

/** A grouping by a function, or by the value of a metadata key. */
export const toGrouping = (group: string | Grouping): Grouping => {
  if (typeof group === 'function') return group
  return ({ metadata }) => {
    const value = metadata?.[group]
    return value === undefined || value === null ? undefined : typeof value === 'string' ? value : JSON.stringify(value)
  }
}
