// The tokens around a single text, for encoders that want nothing but ids: found by processing a stand-in for the text.
import { addedDraft } from '../encoding/draft.ts'
import type { PostProcessor } from './post-processor.ts'

export interface Template {
  readonly before: readonly number[]
  readonly behind: readonly number[]
}

export const emptyTemplate: Template = { before: [], behind: [] }

const standIn = -1

/** What stands before and behind the text; undefined where the text does not stand there exactly once. */
export const frameOf = (processor: PostProcessor): Template | undefined => {
  const drafts = processor.process([addedDraft([standIn], [''], 0)], true)
  const ids = drafts.flatMap((draft) => draft.ids)
  const at = ids.indexOf(standIn)
  if (at < 0 || ids.includes(standIn, at + 1)) return undefined
  return { before: ids.slice(0, at), behind: ids.slice(at + 1) }
}
