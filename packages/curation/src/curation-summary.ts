// Adds up what `curate` yields: how many documents and characters came and went, by step and rule, with one example each. The result is
// JSON, and all that the reports need.
import type { CuratedDocument } from './curate.ts'
import type { Cut, Edit } from './step.ts'

export interface CurationExample {
  readonly documentId: string
  /** The place that the rule is about, with what stands around it, else the beginning of the text. */
  readonly text: string
  readonly value?: number
  readonly threshold?: number
  readonly replacement?: string
  readonly match?: Cut['match']
}

export interface CurationCount {
  readonly step: string
  /** null: the edits of this step. */
  readonly rule: string | null
  readonly documents: number
  /** UTF-16 units of the dropped documents. */
  readonly characters: number
  /** How many edits; 0 for drops. */
  readonly edits: number
  readonly example: CurationExample
}

export interface CurationSummary {
  /** Documents that came in: kept or dropped, without the copies that steps added. */
  readonly documents: number
  readonly kept: { readonly documents: number; readonly characters: number; readonly added: number; readonly edited: number; readonly weight: number }
  readonly dropped: { readonly documents: number; readonly characters: number }
  /** In the order in which the rules first acted. */
  readonly drops: readonly CurationCount[]
  readonly edits: readonly CurationCount[]
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * An accumulator: `add` every item of `curate`, then ask for the `summary`.
 *
 * @example
 * const summary = summarizeCuration()
 * for await (const item of curate({ documents, steps })) summary.add(item)
 * const report = describeCuration(summary.summary())
 */
export const summarizeCuration = (options: { /** Characters of an example; default 160. */ readonly exampleLength?: number } = {}) => {
  const { exampleLength = 160 } = options
  const kept = { documents: 0, characters: 0, added: 0, edited: 0, weight: 0 }
  const dropped = { documents: 0, characters: 0 }
  let added = 0
  const drops = new Map<string, Mutable<CurationCount>>()
  const edits = new Map<string, Mutable<CurationCount>>()
  const countFor = (counts: Map<string, Mutable<CurationCount>>, step: string, rule: string | null, example: () => CurationExample) => {
    const key = JSON.stringify([step, rule])
    let count = counts.get(key)
    if (count === undefined) counts.set(key, (count = { step, rule, documents: 0, characters: 0, edits: 0, example: example() }))
    return count
  }
  const addEdits = ({ document, decision }: CuratedDocument): void => {
    const bySteps = new Map<string, Edit[]>()
    for (const edit of decision.edits) {
      const made = bySteps.get(edit.step)
      if (made) made.push(edit)
      else bySteps.set(edit.step, [edit])
    }
    for (const [step, made] of bySteps) {
      const { span, replacement } = made.at(-1)! // the first place in the text, which the step's other edits have not moved
      const count = countFor(edits, step, null, () => ({ documentId: document.id, text: excerpt(document.text, span[0], exampleLength), replacement: clip(replacement, 40) }))
      count.edits += made.length
      count.documents++
    }
  }
  return {
    add: (item: CuratedDocument): void => {
      const { document, decision } = item
      const { length } = document.text
      if (decision.addedBy !== undefined) added++
      addEdits(item)
      if (decision.kept) {
        kept.documents++
        kept.characters += length
        if (decision.addedBy !== undefined) kept.added++
        if (decision.edits.length > 0) kept.edited++
        const weight = document.metadata?.['weight']
        kept.weight += typeof weight === 'number' ? weight : 1
        return
      }
      dropped.documents++
      dropped.characters += length
      const { value, threshold, match, span } = decision
      const count = countFor(drops, decision.step, decision.rule, () => ({
        documentId: document.id,
        text: excerpt(document.text, span?.[0] ?? 0, exampleLength),
        value,
        threshold,
        ...(match ? { match } : {}),
      }))
      count.documents++
      count.characters += length
    },
    summary: (): CurationSummary => ({
      documents: kept.documents + dropped.documents - added,
      kept: { ...kept },
      dropped: { ...dropped },
      drops: [...drops.values()].map((count) => ({ ...count })),
      edits: [...edits.values()].map((count) => ({ ...count })),
    }),
  }
}

const clip = (text: string, length: number): string => (text.length <= length ? text : `${wholeCharacters(text.slice(0, length - 1))}…`)

/** Without the first half of a pair at the end. */
const wholeCharacters = (text: string): string => text.replace(/[\ud800-\udbff]$/, '')

/** Some text around a place, white space as one space. */
const excerpt = (text: string, at: number, length: number): string => {
  const start = at < length / 2 ? 0 : at - Math.floor(length / 4)
  const part = text.slice(start, start + length * 2).replaceAll(/\s+/g, ' ').trim()
  return (start > 0 ? '…' : '') + clip(part.replaceAll(/\p{Surrogate}/gu, '\ufffd'), length)
}
