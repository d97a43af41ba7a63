// Short hand for writing sample calls of named operations.
import type { Attrs, Slot } from '../backend.ts'
import type { OpDefinition } from '../op-definition.ts'
import type { OpCase, Samples, SampleTensor } from './op-case.ts'

export type CaseExtra = Omit<OpCase, 'op' | 'name' | 'make'>

export const caseOf = (op: OpDefinition, name: string, attrs: Attrs, make: (samples: Samples) => readonly Slot<SampleTensor>[], extra: CaseExtra = {}): OpCase => ({
  op,
  name,
  make: (samples) => ({ inputs: make(samples), attrs }),
  ...extra,
})

/** For samples that are not smooth, or only there for their size. */
export const withoutGradients: CaseExtra = { gradients: false }

/** The same values rounded to bf16. */
export const asBfloat16 = (samples: Samples, sample: SampleTensor): SampleTensor => samples.values(sample.shape, Array.from(sample.values), 'bf16')
