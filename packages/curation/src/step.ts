// What a curation step is and what it says about a document. Steps know one document at a time; `curate` knows the rest:
// order, stages, scratch space and the record of what happened.
import { ConfigError, type Json, type RandomSource, type TextDocument } from '@weft/contracts'
import type { ScratchStore } from '@weft/sources'

/** UTF-16 offsets, the end exclusive. */
export type Span = readonly [start: number, end: number]

/**
 * One replacement of text; its span holds in the text just before this edit. A step lists its edits from the end of the text to the beginning, so
 * that their spans hold in the text it was given as well.
 */
export interface Edit {
  readonly step: string
  readonly span: Span
  readonly replacement: string
}

/** Why a document goes: the rule, what was measured, the limit that it crossed. */
export interface Cut {
  readonly rule: string
  readonly value: number
  readonly threshold: number
  /** Where in the text, if the rule is about a place. */
  readonly span?: Span
  /** The document that this one repeats; similarity is 0 to 1. */
  readonly match?: { readonly documentId: string; readonly similarity: number }
}

/**
 * What a step says: keep these documents (as a rule the one that came, changed or not; more when it adds copies), or drop it.
 * `edits` belong to the kept documents whose text differs from the one that came.
 */
export type Verdict = { readonly keep: readonly TextDocument[]; readonly edits?: readonly Edit[] } | { readonly drop: Cut }

/** What happened to a document in all; `addedBy` names the step that made it as a copy of another. */
export type Decision =
  | { readonly kept: true; readonly edits: readonly Edit[]; readonly addedBy?: string }
  | ({ readonly kept: false; readonly step: string; readonly edits: readonly Edit[]; readonly addedBy?: string } & Cut)

export interface StepRun {
  /** Files of this step alone: names need only be unique within the step. */
  readonly scratch: ScratchStore
  readonly random: RandomSource
  readonly signal?: AbortSignal
}

/**
 * A step at work on one corpus. `index` counts the documents that reach this step, from 0, the same in `observe` and `apply`.
 * With `observe` it sees all of them first; then comes `seal`, then `apply` on each.
 */
export interface ActiveStep {
  observe?(document: TextDocument, index: number): void | Promise<void>
  seal?(): Promise<void>
  apply(document: TextDocument, index: number): Verdict | Promise<Verdict>
  close?(): Promise<void>
}

export interface Step {
  readonly name: string
  /** The settings in use, defaults filled in, as far as they are JSON. */
  readonly config?: Json
  start(run: StepRun): Promise<ActiveStep>
}

/** A step without memory: the same document gives the same verdict. */
export const pureStep = (name: string, config: Json, apply: (document: TextDocument) => Verdict): Step => ({
  name,
  config,
  start: async () => ({ apply }),
})

/** The verdict "keep it as it is". */
export const keep = (document: TextDocument): Verdict => ({ keep: [document] })

/**
 * The text after a list of edits, as one step or a whole decision records them. Runs of edits that go from the end to the beginning are done
 * in one pass, so the work is linear for each step.
 */
export const applyEdits = (text: string, edits: readonly Pick<Edit, 'span' | 'replacement'>[]): string => {
  let current = text
  for (let i = 0; i < edits.length; ) {
    const parts: string[] = []
    let end = current.length
    for (; i < edits.length && edits[i]!.span[1] <= end; i++) {
      const { span, replacement } = edits[i]!
      parts.push(current.slice(span[1], end), replacement)
      end = span[0]
    }
    if (parts.length === 0) throw new ConfigError(`applyEdits: edit ${i} ends at ${edits[i]!.span[1]}, beyond the text's ${end} units; do the edits belong to this text?`)
    parts.push(current.slice(0, end))
    current = parts.reverse().join('')
  }
  return current
}

/** The verdict for a text changed by these replacements (first to last, without overlap); none: the document as it is. */
export const editDocument = (
  step: string,
  document: TextDocument,
  replacements: readonly { readonly span: Span; readonly replacement: string }[],
): Verdict => {
  if (replacements.length === 0) return keep(document)
  const edits = replacements.map(({ span, replacement }) => ({ step, span, replacement })).reverse()
  return { keep: [{ ...document, text: applyEdits(document.text, edits) }], edits }
}
