// The young and the old.
import { combine, type GroupFamily, peopleWords, words } from './word-family.ts'

export const age: GroupFamily = {
  name: 'age',
  groups: {
    young: [...words('youth youths teenager teenagers teen teens adolescent adolescents child children kid kids baby babies'), ...combine(['young'], peopleWords)],
    old: [...words('elderly elders seniors pensioner pensioners retiree retirees octogenarian'), ...combine(['old', 'older', 'aged'], peopleWords), 'senior citizen', 'senior citizens'],
  },
  contrast: ['old', 'young'],
}
