// Women and men in English: pronouns, kin, titles and occupations with a gender.
import { genderPairs } from './gender-pairs.ts'
import { type GroupFamily, words } from './word-family.ts'

export const gender: GroupFamily = {
  name: 'gender',
  groups: {
    female: [...genderPairs.map(([feminine]) => feminine), ...words('her hers ms miss mum mums')],
    male: [...genderPairs.map(([, masculine]) => masculine), ...words('him his mister pa')],
  },
  contrast: ['female', 'male'],
}
