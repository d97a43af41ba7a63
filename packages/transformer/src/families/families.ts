// All families that can be opened, by name.
import type { FamilyName } from '../model-config.ts'
import type { Family } from './family.ts'
import { gpt2 } from './gpt2.ts'
import { llama } from './llama.ts'

export const families: Readonly<Record<FamilyName, Family>> = { gpt2, llama }
