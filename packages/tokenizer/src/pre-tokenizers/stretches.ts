// Cutting at matches: the text is a row of stretches that match or do not, and the behavior says which of them become one piece and
// which are dropped. The five behaviors are those of Hugging Face's Split.
import { pushPiece, type PieceList } from './pieces.ts'

export type SplitBehavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous'

export const splitBehaviors: readonly SplitBehavior[] = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous']

/** Stretch i is [cuts[i], cuts[i + 1]); matched[i] says whether it is a match (inverted: is none). */
export interface Stretches {
  readonly cuts: number[]
  readonly matched: boolean[]
}

/** The stretches of [0, length) that `matches` makes. An empty match is an empty stretch: it keeps what lies around it apart. */
export const stretchesOf = (length: number, matches: readonly number[], invert: boolean): Stretches => {
  const cuts = [0]
  const matched: boolean[] = []
  let last = 0
  const push = (end: number, isMatch: boolean): void => {
    if (end === last && !isMatch) return
    cuts.push(end)
    matched.push(isMatch !== invert)
    last = end
  }
  for (let i = 0; i < matches.length; i += 2) {
    push(matches[i]!, false)
    push(matches[i + 1]!, true)
  }
  push(length, false)
  return { cuts, matched }
}

/** Appends the pieces; `shift` is added to every cut. */
export const emitStretches = ({ cuts, matched }: Stretches, behavior: SplitBehavior, shift: number, output: PieceList): void => {
  let start = 0
  for (let i = 0; i < matched.length; i++) {
    if (behavior === 'Removed') {
      if (!matched[i]) pushPiece(output, shift + cuts[i]!, shift + cuts[i + 1]!)
    } else if (i + 1 === matched.length || !staysTogether(behavior, matched[i]!, matched[i + 1]!)) {
      pushPiece(output, shift + cuts[start]!, shift + cuts[i + 1]!)
      start = i + 1
    }
  }
}

const staysTogether = (behavior: SplitBehavior, isMatch: boolean, nextIsMatch: boolean): boolean => {
  if (behavior === 'Contiguous') return isMatch === nextIsMatch
  if (behavior === 'MergedWithPrevious') return !isMatch && nextIsMatch
  if (behavior === 'MergedWithNext') return isMatch && !nextIsMatch
  return false
}
