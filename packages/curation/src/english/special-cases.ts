// Words that English splits, or keeps whole, against the general rules: contractions, clock times, abbreviations, emoticons. The
// set behaves as that of spaCy 3.8's English (checked entry by entry in the tests) but is built from the grammar behind it.
import { emoticons } from './emoticons.ts'

/** A special string and the lengths of its parts, in UTF-16 units. */
type Parts = readonly string[]

const letters = [...'abcdefghijklmnopqrstuvwxyz', 'ä', 'ö', 'ü']

const personal = ['i', 'you', 'he', 'she', 'it', 'we', 'they']
const asking = ['who', 'what', 'when', 'where', 'why', 'how', 'there', 'that', 'this', 'these', 'those']

/** Without the apostrophe these are words of their own: ill, shed, well, were … and stay whole. */
const ordinaryWords = new Set(['ill', 'shell', 'hell', 'well', 'shed', 'its', 'were', 'whore'])

const withoutNot = ['ai', 'are', 'is', 'was', 'were', 'have', 'has', 'dare']
const modal = ['ca', 'could', 'do', 'does', 'did', 'had', 'may', 'might', 'must', 'need', 'ought', 'sha', 'should', 'wo', 'would']
const withHave = ['could', 'might', 'must', 'should', 'would', 'not']

/** Contractions in lower case, with the apostrophe. */
const contractions = (): Parts[] => {
  const found: Parts[] = []
  for (const word of [...personal, ...asking]) {
    for (const end of ["'d", "'ll"]) found.push([word, end], [word, end, "'ve"])
  }
  for (const word of ['he', 'she', 'it', 'who', 'what', 'when', 'where', 'why', 'how', 'there', 'that', 'this']) found.push([word, "'s"])
  const plain = asking.filter((word) => word !== 'that' && word !== 'this')
  for (const word of ['you', 'we', 'they', ...plain]) found.push([word, "'re"])
  for (const word of ['i', 'you', 'we', 'they', ...plain, ...withHave]) found.push([word, "'ve"])
  for (const word of modal) found.push([word, "n't"], [word, "n't", "'ve"])
  for (const word of withoutNot) found.push([word, "n't"])
  found.push(['i', "'m"], ['i', "'m", 'a'])
  return found
}

const inBothCases = (parts: Parts): Parts[] => {
  const [first = '', ...rest] = parts
  return [parts, [first.charAt(0).toUpperCase() + first.slice(1), ...rest]]
}

const withBothApostrophes = (parts: Parts): Parts[] => [parts, parts.map((part) => part.replaceAll("'", '’'))]

const withoutApostrophe = (parts: Parts): Parts[] => {
  const bare = parts.map((part) => part.replaceAll("'", ''))
  return ordinaryWords.has(bare.join('')) ? [] : [bare]
}

const clockTimes = (): Parts[] =>
  Array.from({ length: 12 }, (_, i) => String(i + 1)).flatMap((hour) => ['am', 'pm', 'a.m.', 'p.m.'].map((half) => [hour, half]))

/** Kept whole, both with a capital and without. */
const droppedLetters = "doin' goin' havin' lovin' ol' somethin' nothin' nuthin'".split(' ')

/** Kept whole as written. */
const wholeWords = [
  ...'Mr. Mrs. Ms. Dr. Prof. St. Mt. Jr. Rev. Gen. Gov. Adm. Sen. Rep. Messrs. Ph.D. Bros. Co. Corp. Inc. Ltd. co. vs. v.s. a.m. p.m.'.split(' '),
  ...'Jan. Feb. Mar. Apr. Jun. Jul. Aug. Sep. Sept. Oct. Nov. Dec.'.split(' '),
  ...'Ak. Ala. Ariz. Ark. Calif. Colo. Conn. D.C. Del. Fla. Ga. Ia. Id. Ill. Ind. Kan. Kans. Ky. La. Mass. Md. Mich. Minn.'.split(' '),
  ...'Miss. Mo. Mont. N.C. N.D. N.H. N.J. N.M. N.Y. Neb. Nebr. Nev. Okla. Ore. Pa. S.C. Tenn. Va. Wash. Wis.'.split(' '),
  ...'e.g. E.g. E.G. i.e. I.e. I.E. and/or w/o C++ nuff ll em'.split(' '),
  ..."'' ' 'S 's 'd 'em 'll 're 'nuff 'bout 'Cause 'cause 'Cos 'cos 'Coz 'coz 'Cuz 'cuz ma'am Ma'am o'clock O'clock".split(' '),
  '‘S', '‘s', '—', '\\")', '\\n', '\\t', '<space>',
]

const build = (): ReadonlyMap<string, readonly number[]> => {
  const split = contractions()
  const all: Parts[] = [
    ...split.flatMap(inBothCases).flatMap((parts) => [...withBothApostrophes(parts)]),
    ...split.flatMap(withoutApostrophe).flatMap(inBothCases),
    ...[['how', "'d", "'y"], ['let', "'s"], ["c'm", 'on']].flatMap(inBothCases).flatMap(withBothApostrophes),
    ...[['can', 'not'], ['gon', 'na'], ['got', 'ta']].flatMap(inBothCases),
    ["y'", 'all'], ['y’', 'all'], ['y', 'all'],
    ...clockTimes(),
    ...droppedLetters.flatMap((word) => [[word], [word.slice(0, -1)]]).flatMap(inBothCases).flatMap(withBothApostrophes),
    ...wholeWords.map((word) => [word]).flatMap(withBothApostrophes),
    ...letters.map((letter) => [`${letter}.`]),
    ...[...'CFKcfk'].map((unit) => ['°', unit, '.']),
    ...emoticons.map((emoticon) => [emoticon]),
  ]
  return new Map(all.map((parts) => [parts.join(''), parts.map((part) => part.length)]))
}

/** Special string → lengths of its parts. */
export const specialCases = build()

/** No longer string needs a look-up. */
export const longestSpecialCase = Math.max(...[...specialCases.keys()].map((text) => text.length))
