// What `weft tokenizer compare` does: the same text by two tokenizers, with the boundaries of their tokens.
import type { Tokenizer } from '@weft/contracts'
import { encodeWithOffsets } from '@weft/tokenizer'
import type { Session } from '../session.ts'
import { readStandardInput } from '../standard-input.ts'
import { openTokenizer } from '../tokenizer-file.ts'

interface CompareOptions {
  readonly text?: string
  readonly color?: boolean
}

interface Cut {
  readonly tokenizer: string
  readonly vocabSize: number
  readonly tokenIds: readonly number[]
  /** UTF-16 places between tokens, without the ends of the text. */
  readonly boundaries: readonly number[]
}

export const compare = async (session: Session, { text: given, color }: CompareOptions, paths: readonly string[]): Promise<void> => {
  const tokenizers = await Promise.all(paths.map(openTokenizer))
  const text = given ?? (await readStandardInput('--text'))
  const cuts = tokenizers.map((tokenizer, i) => cut(tokenizer, paths[i]!, text))
  const bytes = Buffer.byteLength(text)
  const shared = sharedBoundaries(cuts)
  if (session.isJson) {
    session.json({ bytes, tokenizers: cuts.map((each) => ({ ...each, tokens: each.tokenIds.length, bytesPerToken: ratio(bytes, each.tokenIds.length) })), sharedBoundaries: shared })
    return
  }
  const isColored = color ?? process.stdout.isTTY === true
  for (const each of cuts) {
    session.print(`${each.tokenizer}: ${each.tokenIds.length} tokens, ${ratio(bytes, each.tokenIds.length).toFixed(3)} bytes a token (${each.vocabSize} in the vocabulary)`)
    session.print(picture(text, each.boundaries, isColored))
    session.print('')
  }
  session.print(`${(shared * 100).toFixed(1)} % of the boundaries are in both`)
}

const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b)

const cut = (tokenizer: Tokenizer, path: string, text: string): Cut => {
  const { tokenIds, offsets } = encodeWithOffsets(tokenizer, text, { addSpecialTokens: false })
  const boundaries = new Set<number>()
  for (let i = 0; i < tokenIds.length; i++) boundaries.add(offsets[i * 2]!)
  boundaries.delete(0)
  boundaries.delete(text.length)
  return { tokenizer: path, vocabSize: tokenizer.vocabSize, tokenIds: [...tokenIds], boundaries: [...boundaries].sort((a, b) => a - b) }
}

/** The boundaries that all have, as a share of those that any has. */
const sharedBoundaries = (cuts: readonly Cut[]): number => {
  const sets = cuts.map(({ boundaries }) => new Set(boundaries))
  const any = new Set(cuts.flatMap(({ boundaries }) => boundaries))
  const all = [...any].filter((place) => sets.every((set) => set.has(place)))
  return any.size === 0 ? 1 : all.length / any.size
}

// Black on four light backgrounds in turn: no two neighbours look alike, and white space shows
const backgrounds = [153, 151, 223, 218]
const colored = (part: string, i: number): string => part.split('\n').map((line) => (line === '' ? '' : `\u001b[30;48;5;${backgrounds[i % backgrounds.length]!}m${line}\u001b[0m`)).join('\n')

const picture = (text: string, boundaries: readonly number[], isColored: boolean): string => {
  const places = [0, ...boundaries, text.length]
  const parts = places.slice(1).map((end, i) => text.slice(places[i]!, end))
  return isColored ? parts.map(colored).join('') : parts.join('│')
}
