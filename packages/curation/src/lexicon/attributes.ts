// Lists of words whose company is telling, of our own making after the themes of Caliskan et al. 2017 and Bolukbasi et al. 2016.
import type { AttributeList } from './word-family.ts'

const list = (name: string, words: string): AttributeList => ({ name, words: words.split(' ') })

const occupations = list(
  'occupations',
  'accountant accountants architect architects artist artists astronaut attorney attorneys author authors baker banker bankers barber butcher captain carpenter ' +
    'cashier ceo chef clerk clerks coach commander cook designer detective director doctor doctors driver drivers economist editor electrician ' +
    'engineer engineers farmer farmers guard hairdresser housekeeper inspector janitor journalist judge judges laborer laborers lawyer lawyers ' +
    'librarian librarians maid maids manager managers mechanic mechanics merchant merchants minister musician nanny nurse nurses officer ' +
    'officers painter pilot pilots plumber poet politician president professor professors programmer receptionist sailor sailors scientist ' +
    'scientists secretary sheriff singer soldier soldiers student students supervisor surgeon surgeons teacher teachers technician therapist trader ' +
    'typist warrior warriors writer writers',
)

export const career = list(
  'career',
  'career careers profession professional business businesses corporation company salary salaries wage wages income office employer employment ' +
    'executive management manager promotion industry commerce job jobs work labor contract',
)

export const family = list(
  'family',
  'family families home homes household parent parents marriage married wedding relatives cousin cousins child children baby babies nursery ' +
    'kitchen domestic pregnant pregnancy',
)

const science = list(
  'science',
  'science scientific scientist physics chemistry biology mathematics engineering technology laboratory experiment research computer computers ' +
    'algebra geometry astronomy theory invention',
)

const arts = list('arts', 'art arts poetry poem poems dance dancing music musical painting sculpture theater theatre drama literature novel novels symphony opera song songs')

const power = list(
  'power',
  'power powerful strong strength leader leaders leadership command authority victory dominant brave courage bold fight war army force conquer decisive',
)

const weakness = list('weakness', 'weak weakness fragile delicate timid shy gentle helpless obey obedient submissive vulnerable fear afraid tears weep cry fainted surrender')

const appearance = list(
  'appearance',
  'beautiful beauty pretty handsome ugly lovely attractive charming slender dress dressed gown hair blonde makeup jewelry figure graceful complexion fashion',
)

const intellect = list(
  'intellect',
  'intelligent intelligence brilliant genius clever wise wisdom logical reason rational analytical thoughtful learned scholar ingenious shrewd astute',
)

const pleasant = list(
  'pleasant',
  'joy love peace wonderful pleasure friend friends laughter happy happiness glorious honest honor good kind kindness gift freedom health heaven hope noble trust',
)

const unpleasant = list(
  'unpleasant',
  'evil hatred hate terrible horrible awful nasty filth poison agony failure crime criminal criminals murder prison terror terrorist terrorists violence violent ' +
    'enemy enemies savage savages cruel corrupt disease death poverty hell',
)

/** What `auditBias` looks for near groups by default. */
export const defaultAttributes: readonly AttributeList[] = [occupations, career, family, science, arts, power, weakness, appearance, intellect, pleasant, unpleasant]
