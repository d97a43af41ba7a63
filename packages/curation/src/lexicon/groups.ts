// Groups of people as English texts name them: short lists of our own, of common and neutral terms. They count mentions, not opinions; a
// term can mean something else (a "white house"), which is why colours only count together with people.
import { genderPairs } from './gender-pairs.ts'
import { combine, peopleWords, type GroupFamily } from './word-family.ts'

const words = (list: string): string[] => list.split(' ')
const phrases = (list: string): string[] => list.split(', ')

export const gender: GroupFamily = {
  name: 'gender',
  groups: {
    female: [...genderPairs.map(([feminine]) => feminine), ...words('her hers ms miss mum mums')],
    male: [...genderPairs.map(([, masculine]) => masculine), ...words('him his mister pa')],
  },
  contrast: ['female', 'male'],
}

export const religion: GroupFamily = {
  name: 'religion',
  groups: {
    christian: words('christian christians christianity catholic catholics protestant protestants church churches priest priests bible gospel jesus christ pope baptist methodist lutheran mormon'),
    muslim: words('muslim muslims moslem moslems islam islamic quran koran mosque mosques imam imams muhammad allah sunni shia ramadan'),
    jewish: words('jew jews jewish judaism torah talmud synagogue synagogues rabbi rabbis hebrew kosher sabbath hanukkah'),
    hindu: words('hindu hindus hinduism brahmin brahmins vedas krishna shiva vishnu diwali'),
    buddhist: words('buddhist buddhists buddhism buddha dharma lama lamas zen'),
    sikh: words('sikh sikhs sikhism gurdwara'),
    unbelieving: words('atheist atheists atheism agnostic agnostics secular unbeliever unbelievers'),
  },
  contrast: ['muslim', 'christian'],
}

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

export const nationality: GroupFamily = {
  name: 'nationality',
  groups: {
    american: words('American Americans'), british: words('British English Englishman Englishmen Scottish Welsh Briton Britons'), irish: words('Irish Irishman Irishmen'),
    french: words('French Frenchman Frenchmen'), german: words('German Germans'), italian: words('Italian Italians'), spanish: words('Spanish Spaniard Spaniards'),
    polish: words('Polish'), dutch: words('Dutch Dutchman'), greek: words('Greek Greeks'), swedish: words('Swedish Swede Swedes'), russian: words('Russian Russians Soviet Soviets'),
    turkish: words('Turkish Turk Turks'), chinese: words('Chinese'), japanese: words('Japanese'), korean: words('Korean Koreans'), vietnamese: words('Vietnamese'),
    indian: words('Indian Indians'), pakistani: words('Pakistani Pakistanis'), iranian: words('Iranian Iranians Persian Persians'), iraqi: words('Iraqi Iraqis'),
    israeli: words('Israeli Israelis'), egyptian: words('Egyptian Egyptians'), nigerian: words('Nigerian Nigerians'), mexican: words('Mexican Mexicans'),
    canadian: words('Canadian Canadians'), cuban: words('Cuban Cubans'), brazilian: words('Brazilian Brazilians'), australian: words('Australian Australians'),
  },
  contrast: ['mexican', 'british'],
}

export const age: GroupFamily = {
  name: 'age',
  groups: {
    young: [...words('youth youths teenager teenagers teen teens adolescent adolescents child children kid kids baby babies'), ...combine(['young'], peopleWords)],
    old: [...words('elderly elders seniors pensioner pensioners retiree retirees octogenarian'), ...combine(['old', 'older', 'aged'], peopleWords), 'senior citizen', 'senior citizens'],
  },
  contrast: ['old', 'young'],
}

/** What `auditBias` counts by default. */
export const defaultGroups: readonly GroupFamily[] = [gender, religion, ethnicity, nationality, age]
