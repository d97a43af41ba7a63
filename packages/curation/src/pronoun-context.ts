// The closed word classes of English that tell "her book" from "saw her": enough of a part-of-speech tagger for four pronouns.

const setOf = (words: string): ReadonlySet<string> => new Set(words.split(' '))

/** No noun phrase goes on with these: after "her" they show an object, after "his" that it stands alone. */
const functionWords = setOf(
  'a an the this that these those some any each every no another ' +
    'i you he she it we they me us them my your our their its her myself yourself himself herself itself ourselves themselves ' +
    'and or but nor yet so because although though while when whenever where wherever if unless until since till as than thus whether ' +
    'who whom whose which what why how ' +
    'of in on at by for with without from to into onto upon over under through across against among around before after behind below beneath beside ' +
    'besides between beyond during inside near off outside toward towards within about above along like out up down away back again aside apart ' +
    'together there here then now too also either neither ever often sometimes alone instead forward further altogether home yesterday today tomorrow ' +
    'is are was were am be been has had have do does did will would shall should can could may might must ' +
    'everything something anything nothing everyone someone anyone everybody somebody nobody',
)

/** May begin a noun phrase ("her very first", "her newly painted house") or end the clause ("saw her once"): the word after decides. */
const modifiers = setOf('not never always very other many few late once just still already almost most more less only once all both quite rather well even much soon')

/** Adjectives that end like adverbs. */
const adjectivesInLy = setOf('early daily weekly monthly yearly only lovely lively friendly elderly holy lonely ugly costly deadly family belly homely kindly sickly motherly sisterly womanly silly jolly bodily earthly heavenly')

const bareVerbGovernors = setOf(
  'let lets letting make makes made making help helps helped helping see sees saw seen seeing watch watches watched watching hear hears heard hearing feel feels felt ' +
    'feeling notice noticed keep kept keeping find found finding leave left leaving catch caught have had bid bade',
)

const objectGovernors = setOf(
  'give gives gave given giving tell tells told telling offer offers offered offering teach taught teaching bring brings brought bringing buy bought hand handed sent send ' +
    'grant granted allow allowed pay paid wish wished owe owed deny denied call called calling',
)

export const isFunctionWord = (word: string): boolean => functionWords.has(word)

export const isModifier = (word: string): boolean => modifiers.has(word) || (word.length > 4 && word.endsWith('ly') && !adjectivesInLy.has(word))

/** Verbs after which an object and a bare verb or participle may follow: "let her go", "saw her leaving". */
export const takesBareVerb = (word: string): boolean => bareVerbGovernors.has(word)

/** Adjectives that say what someone is made or held to be: "made her happy". */
const predicates = setOf(
  'happy unhappy sad angry proud ashamed capable incapable able unable guilty innocent ready responsible rich poor sick ill well safe free alive dead famous welcome comfortable ' +
    'uncomfortable miserable jealous afraid content eager willing worthy useful strong weak wrong right mad drunk sober silent lonely',
)

/** What one does a person: "do her justice". */
const done = setOf('justice good harm credit honor honour wrong')
const doing = setOf('do does did done doing')

const judging = setOf('believe believed think thought consider considered suppose supposed render rendered declare declared pronounce pronounced want wanted')

/** Whether verb and following word hold "her" between them as an object: "made her happy", "did her justice", "left her disappointed". */
export const isPredication = (verb: string, word: string): boolean =>
  (doing.has(verb) && done.has(word)) || ((bareVerbGovernors.has(verb) || judging.has(verb)) && (predicates.has(word) || /^.{4,}ed$/.test(word)))

/** Verbs with two objects: "gave her flowers". */
export const takesObject = (word: string): boolean => objectGovernors.has(word)
