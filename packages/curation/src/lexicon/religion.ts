// Believers of the larger religions, and unbelievers, with the words of their worship.
import { type GroupFamily, words } from './word-family.ts'

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
