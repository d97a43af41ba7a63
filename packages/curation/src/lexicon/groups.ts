// Groups of people as English texts name them: short lists of our own, of common and neutral terms, a family a file. They count mentions, not
// opinions, and a term can mean something else.
import { age } from './age.ts'
import { ethnicity } from './ethnicity.ts'
import { gender } from './gender.ts'
import { nationality } from './nationality.ts'
import { religion } from './religion.ts'
import type { GroupFamily } from './word-family.ts'

/** What `auditBias` counts by default. */
export const defaultGroups: readonly GroupFamily[] = [gender, religion, ethnicity, nationality, age]
