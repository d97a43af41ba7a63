// Counterfactual data augmentation (Lu et al. 2018; Zmigrod et al. 2019 for the grammar): documents with gendered words are joined or replaced by
// copies with the genders swapped, so that a corpus says of one what it says of the other.
import { ConfigError, type TextDocument } from '@weft/contracts'
import { createGenderSwap, type GenderSwapOptions } from './gender-swap.ts'
import { checkNames } from './limits.ts'
import { applyEdits, editDocument, keep, pureStep, type Step } from './step.ts'

export interface CounterfactualAugmentOptions extends GenderSwapOptions {
  /** `both` (the default) keeps the original and adds the copy; `replace` keeps the copy alone. */
  readonly mode?: 'both' | 'replace'
  /** What a copy's id has after the original's; default `#swapped`. */
  readonly idSuffix?: string
}

/** The text with its gendered words swapped; a reversible swap (the default) done twice gives the text back. */
export const swapGender = (text: string, options: GenderSwapOptions = {}): string => applyEdits(text, createGenderSwap(options).replacements(text).reverse())

/** Adds (or puts in place) gender-swapped copies of the documents that have gendered words; the others stay as they are. */
export const counterfactualAugment = (options: CounterfactualAugmentOptions = {}): Step => {
  const name = 'counterfactualAugment'
  checkNames(name, options, ['pairs', 'names', 'reversible', 'mode', 'idSuffix'])
  const { mode = 'both', idSuffix = '#swapped', reversible = true, names = [] } = options
  if (mode !== 'both' && mode !== 'replace') throw new ConfigError(`${name}: mode: expected "both" or "replace", got ${JSON.stringify(mode)}`)
  if (mode === 'both' && idSuffix === '') throw new ConfigError(`${name}: idSuffix: expected some text, or a copy would have its original's id`)
  const swap = createGenderSwap(options)
  const config = { mode, idSuffix, reversible, names: names.map((pair) => [...pair]), ...(options.pairs ? { pairs: options.pairs.map((pair) => [...pair]) } : {}) }
  return pureStep(name, config, (document) => {
    const verdict = editDocument(name, document, swap.replacements(document.text))
    if (!('keep' in verdict) || !verdict.edits) return keep(document)
    const [changed] = verdict.keep
    const copy: TextDocument = mode === 'both' ? { ...changed!, id: document.id + idSuffix } : changed!
    return { keep: mode === 'both' ? [document, copy] : [copy], edits: verdict.edits }
  })
}
