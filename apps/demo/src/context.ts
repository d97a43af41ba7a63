// What every step is given.
import type { Backend } from '@weft/tensor'
import type { RunFolder } from './run-folder.ts'
import type { Terminal } from './terminal.ts'

export interface DemoContext {
  readonly run: RunFolder
  readonly terminal: Terminal
  readonly seed: number
  readonly size: DemoSize
  /** A folder of the person's own texts. */
  readonly textFolder: string | undefined
  readonly backend: Backend
  readonly signal: AbortSignal
}

/** How large everything is; chosen once, kept in the run's settings. */
export interface DemoSize {
  readonly name: 'full' | 'quick' | 'tiny'
  readonly characters: number
  readonly vocabSize: number
  readonly model: { readonly dModel: number; readonly numLayers: number; readonly numHeads: number; readonly numKvHeads: number; readonly contextLength: number }
  readonly batchSize: number
  readonly pretrainSteps: number
  /** Steps of each of the two branches, with and without mitigation. */
  readonly branchSteps: number
  readonly tuneSteps: number
  readonly questions: number
  readonly stereotypePairs: number
  readonly evaluationDocuments: number
  /** What all trainings together may take; absent: the steps are fixed. */
  readonly trainingSeconds?: number
}

export const sizes: Readonly<Record<DemoSize['name'], DemoSize>> = {
  full: {
    name: 'full',
    characters: 4_000_000,
    vocabSize: 2048,
    model: { dModel: 160, numLayers: 4, numHeads: 4, numKvHeads: 2, contextLength: 128 },
    batchSize: 4,
    pretrainSteps: 1500,
    branchSteps: 120,
    tuneSteps: 500,
    questions: 600,
    stereotypePairs: 200,
    evaluationDocuments: 40,
    trainingSeconds: 360,
  },
  quick: {
    name: 'quick',
    characters: 500_000,
    vocabSize: 768,
    model: { dModel: 96, numLayers: 2, numHeads: 4, numKvHeads: 2, contextLength: 96 },
    batchSize: 4,
    pretrainSteps: 520,
    branchSteps: 40,
    tuneSteps: 120,
    questions: 120,
    stereotypePairs: 40,
    evaluationDocuments: 8,
    trainingSeconds: 42,
  },
  tiny: {
    name: 'tiny',
    characters: 120_000,
    vocabSize: 400,
    model: { dModel: 32, numLayers: 1, numHeads: 2, numKvHeads: 1, contextLength: 64 },
    batchSize: 4,
    pretrainSteps: 30,
    branchSteps: 4,
    tuneSteps: 6,
    questions: 40,
    stereotypePairs: 8,
    evaluationDocuments: 3,
  },
}
