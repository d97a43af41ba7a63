// Nationalities by adjective; their capital tells "Polish" from "polish".
import { type GroupFamily, words } from './word-family.ts'

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
