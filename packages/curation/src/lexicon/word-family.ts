// Groups of people and the words that name them, and lists of words whose company says something. Plain data: give your own for another
// language or question. A term in lower case matches any case; one with a capital only as written ("Polish", not "polish").

/** Groups among which mentions are counted, for example genders. */
export interface GroupFamily {
  readonly name: string
  /** Group → its terms; a term is one or more words parted by single spaces. */
  readonly groups: Readonly<Record<string, readonly string[]>>
  /** The two groups whose associations are compared; default: the first two. */
  readonly contrast?: readonly [string, string]
}

/** Words whose nearness to groups is measured. */
export interface AttributeList {
  readonly name: string
  readonly words: readonly string[]
}

/** Each stem with each ending, for people are named in many ways. */
export const combine = (stems: readonly string[], endings: readonly string[]): string[] => stems.flatMap((stem) => endings.map((ending) => `${stem} ${ending}`))

/** People in one word, for phrases such as "Black women". */
export const peopleWords = 'people person persons man men woman women boy boys girl girls child children family families community communities voters students workers'.split(' ')

/** A list of words, and one of phrases, written as text. */
export const words = (list: string): string[] => list.split(' ')
export const phrases = (list: string): string[] => list.split(', ')
