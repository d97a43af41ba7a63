// How each subject looks and is called in plots: the same everywhere. Colours are the report page's variables, with its light values
// as the fallback in files of their own.

export interface SubjectStyle {
  readonly label: string
  readonly color: string
  readonly dash: string
  /** Weft's fast side is drawn above the others. */
  readonly isOurs: boolean
}

// Apart for the common kinds of colour blindness (after Okabe and Ito 2008), lighter on dark ground.
export const lightHues = ['#2563c9', '#d4660a', '#0b8a63', '#b83a7e', '#7a56c8', '#8a6d00', '#0b87a8', '#5c6470']
export const darkHues = ['#7fb0ff', '#ffa45c', '#4fd0a2', '#ff8fc4', '#b9a1ff', '#e6c34d', '#58cbe8', '#b3bac4']

export const hue = (index: number): string => `var(--series-${index % lightHues.length}, ${lightHues[index % lightHues.length]!})`

const styles: Readonly<Record<string, SubjectStyle>> = {
  native: { label: 'weft native', color: hue(0), dash: '', isOurs: true },
  torch: { label: 'PyTorch', color: hue(1), dash: '', isOurs: false },
  'torch-compile': { label: 'PyTorch, torch.compile', color: hue(3), dash: '', isOurs: false },
  'llama.cpp': { label: 'llama.cpp', color: hue(2), dash: '', isOurs: false },
  'llm.c': { label: 'llm.c', color: hue(4), dash: '', isOurs: false },
  'tfjs-wasm': { label: 'weft on tfjs wasm', color: hue(6), dash: '', isOurs: true },
  'plain-tfjs-wasm': { label: 'tfjs wasm', color: hue(6), dash: '5 4', isOurs: false },
  'tfjs-cpu': { label: 'weft on tfjs cpu', color: hue(5), dash: '', isOurs: true },
  'plain-tfjs-cpu': { label: 'tfjs cpu', color: hue(5), dash: '5 4', isOurs: false },
  reference: { label: 'weft reference', color: hue(7), dash: '2 3', isOurs: true },
}

/** Of a subject without a style of its own: its name, in the order of `others`. */
export const styleOf = (id: string, others: readonly string[] = []): SubjectStyle =>
  styles[id] ?? { label: id, color: hue(Math.max(0, others.indexOf(id))), dash: '', isOurs: false }

/** A case without what stands in brackets: for places where it is one of many. */
export const shortCase = (caseName: string): string => caseName.replace(/ \([^)]*\)/g, '')
