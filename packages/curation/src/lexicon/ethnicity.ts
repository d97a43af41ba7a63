// Ethnic groups as English texts of the United States name them. Colours only count together with people: a "white house" is none.
import { combine, type GroupFamily, peopleWords, phrases } from './word-family.ts'

export const ethnicity: GroupFamily = {
  name: 'ethnicity',
  groups: {
    black: [...combine(['black', 'african american', 'afro american', 'negro'], peopleWords), ...phrases('african american, african americans, blacks, Negro, Negroes, negroes, Black Americans, black Americans')],
    white: [...combine(['white', 'caucasian'], peopleWords), ...phrases('caucasian, caucasians, white Americans, White Americans, european american, european americans')],
    asian: [...combine(['asian'], peopleWords), ...phrases('asian, asians, asian american, asian americans')],
    hispanic: [...combine(['hispanic', 'latino', 'latina'], peopleWords), ...phrases('hispanic, hispanics, latino, latinos, latina, latinas, chicano, chicanos')],
    indigenous: phrases('native american, native americans, american indian, american indians, indigenous people, indigenous peoples, Cherokee, Navajo, Sioux, Apache, Inuit, aborigine, aborigines'),
    arab: [...combine(['arab'], peopleWords), ...phrases('arab, arabs, arab american, arab americans')],
  },
  contrast: ['black', 'white'],
}
