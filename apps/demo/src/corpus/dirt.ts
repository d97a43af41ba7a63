// The dirty part, made here so that curation has something to find, with the truth about each piece: what a good curation drops, and
// which personal data it redacts. All of it is invented; card numbers are the industry's test numbers.
import { createRandomSource, type RandomSource, type TextDocument } from '@weft/contracts'

type Dirt = 'exactDuplicate' | 'nearDuplicate' | 'boilerplate' | 'repetition' | 'gibberish' | 'rude'

export interface Truth {
  /** Ids that should be dropped, and why. Of a pair of duplicates either may go: `of` names the other. */
  readonly drops: Readonly<Record<string, { readonly kind: Dirt; readonly of?: string }>>
  /** Personal data put into documents: id → the strings. */
  readonly personal: Readonly<Record<string, readonly string[]>>
}

/** Words that the demo's blocklist holds; mild, so that its output can be read aloud. */
export const rudeWords = ['nincompoop', 'blockhead', 'numbskull', 'dunderhead']

const pick = <T>(random: RandomSource, items: readonly T[]): T => items[Math.floor(random.nextFloat() * items.length)]!

const boilerplate = [
  'Home | News | Weather | Sport | Login | Register\nThis website uses cookies to make it better. By going on you accept our use of cookies.\nRead our privacy policy and our terms of use.\nShare | Tweet | Print | Next | Previous | Back to top',
  'Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore magna aliqua.\nPlease enable javascript to see this page.\nMenu\nSearch\nBasket (0)',
  'function track(e) { window.dataLayer.push({ event: e }); }\nif (ready) { track("view"); }\nClick here. Click here. Click here.\nAll rights reserved.',
  '- Shoes\n- Hats\n- Coats\n- Gloves\n- Scarves\n- Belts\n- Socks\n- Shirts\n- Trousers\n- Ties\nSort by price. Sort by name. Add to basket …',
]

const firstNames = ['ada', 'bram', 'clara', 'dov', 'edith', 'femi', 'greta', 'hugo']
const lastNames = ['marlow', 'quist', 'tanager', 'umber', 'vance', 'wick', 'yarrow', 'zeller']

const personalData: readonly ((random: RandomSource) => string)[] = [
  (random) => `${pick(random, firstNames)}.${pick(random, lastNames)}@${pick(random, ['riverton-mail.net', 'harbourpost.org'])}`,
  (random) => `(${200 + Math.floor(random.nextFloat() * 700)}) 555-01${String(Math.floor(random.nextFloat() * 100)).padStart(2, '0')}`,
  (random) => `8.${Math.floor(random.nextFloat() * 250)}.${Math.floor(random.nextFloat() * 250)}.${1 + Math.floor(random.nextFloat() * 250)}`,
  (random) => pick(random, ['4111 1111 1111 1111', '5555 5555 5555 4444', '4012 8888 8888 1881']),
  (random) => pick(random, ['219-09-9999', '078-05-1120']), // specimens once printed on cards in shops
]
const phrases = ['Answers may be sent to', 'The clerk can be reached at', 'For the record the number is', 'Notes are kept under']

/** A few words changed: enough to escape an exact comparison. */
const nearCopy = (text: string, random: RandomSource): string => {
  const words = text.split(' ')
  for (let i = 0; i < Math.max(1, Math.floor(words.length / 60)); i++) words[Math.floor(random.nextFloat() * words.length)] = pick(random, ['indeed', 'perhaps', 'again', 'however'])
  return words.join(' ')
}

/** Words of random letters. */
const gibberish = (random: RandomSource): string =>
  `${Array.from({ length: 120 }, () => Array.from({ length: 3 + Math.floor(random.nextFloat() * 6) }, () => pick(random, [...'bcdfghjklmnpqrstvwxzaeiou'])).join('')).join(' ')}. Xq zv. Kw jr.`

/** Mixes dirt into clean documents: about one part in ten, at seeded places. */
export const addDirt = (clean: readonly TextDocument[], seed: number): { documents: TextDocument[]; truth: Truth } => {
  const random = createRandomSource({ seed }).fork('dirt')
  const documents = [...clean]
  const drops: Record<string, { kind: Dirt; of?: string }> = {}
  const personal: Record<string, string[]> = {}
  const share = Math.max(2, Math.round(clean.length / 50))
  const insert = (id: string, text: string, kind: Dirt, of?: string): void => {
    documents.splice(Math.floor(random.nextFloat() * (documents.length + 1)), 0, { id, text, source: 'made by the demo' })
    drops[id] = of === undefined ? { kind } : { kind, of }
  }
  // Data goes into originals that are not copied, so that the copies stay copies.
  const copied = new Set<number>()
  for (let i = 0; i < share; i++) {
    const original = Math.floor(random.nextFloat() * clean.length)
    if (copied.has(original)) continue
    copied.add(original)
    const { id, text } = clean[original]!
    if (i % 2 === 0) insert(`exact-${i}`, text, 'exactDuplicate', id)
    else insert(`near-${i}`, nearCopy(text, random), 'nearDuplicate', id)
  }
  for (let i = 0; i < share; i++) insert(`boilerplate-${i}`, `${pick(random, boilerplate)}\nPage ${i + 1}`, 'boilerplate')
  for (let i = 0; i < share / 2; i++) insert(`repeated-${i}`, `The best offer of the day number ${i}. `.repeat(30), 'repetition')
  for (let i = 0; i < share / 2; i++) insert(`gibberish-${i}`, gibberish(random), 'gibberish')
  for (let i = 0; i < share / 2; i++) {
    const { text } = clean[Math.floor(random.nextFloat() * clean.length)]!
    insert(`rude-${i}`, `${text.slice(0, 700)} Only a ${pick(random, rudeWords)} would say otherwise, you ${pick(random, rudeWords)}.`, 'rude')
  }
  const places = new Map(documents.map(({ id }, i) => [id, i]))
  for (let i = 0; i < share; i++) {
    const original = Math.floor(random.nextFloat() * clean.length)
    const { id } = clean[original]!
    if (copied.has(original) || personal[id] !== undefined) continue
    const data = pick(random, personalData)(random)
    const place = places.get(id)!
    documents[place] = { ...documents[place]!, text: `${documents[place]!.text} ${pick(random, phrases)} ${data}.` }
    personal[id] = [data]
  }
  return { documents, truth: { drops, personal } }
}

export interface Score {
  readonly kind: string
  readonly made: number
  readonly found: number
}

/** How much of what was made was found, and how many clean documents were dropped by mistake. */
export const scoreCuration = (
  truth: Truth,
  outcome: { readonly droppedIds: ReadonlySet<string>; readonly keptTexts: ReadonlyMap<string, string>; readonly total: number },
): { readonly scores: readonly Score[]; readonly precision: number; readonly recall: number; readonly wronglyDropped: number } => {
  const isFound = (id: string): boolean => outcome.droppedIds.has(id) || (truth.drops[id]!.of !== undefined && outcome.droppedIds.has(truth.drops[id]!.of!))
  const ids = Object.keys(truth.drops)
  const kinds = [...new Set(Object.values(truth.drops).map(({ kind }) => kind))]
  const scores: Score[] = kinds.map((kind) => {
    const ofKind = ids.filter((id) => truth.drops[id]!.kind === kind)
    return { kind, made: ofKind.length, found: ofKind.filter(isFound).length }
  })
  const pieces = Object.entries(truth.personal).filter(([id]) => outcome.keptTexts.has(id))
  scores.push({ kind: 'personalData', made: pieces.length, found: pieces.filter(([id, data]) => data.every((piece) => !outcome.keptTexts.get(id)!.includes(piece))).length })
  const found = ids.filter(isFound).length
  const originals = new Set(Object.values(truth.drops).flatMap(({ of }) => (of === undefined ? [] : [of])))
  const wronglyDropped = [...outcome.droppedIds].filter((id) => truth.drops[id] === undefined && !originals.has(id)).length
  return { scores, precision: found / Math.max(1, found + wronglyDropped), recall: found / Math.max(1, ids.length), wronglyDropped }
}
