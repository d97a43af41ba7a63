// Replaces personal data by harmless stand-ins. With e-mail and public IP addresses alone it does what datatrove's PIIFormatter does, stand-ins
// taken in turn over the whole corpus included.
import { ConfigError } from '@weft/contracts'
import { checkNames } from '../limits.ts'
import { editDocument, type Step } from '../step.ts'
import { checkKinds, findPersonalData, personalDataKinds, type FindPersonalDataOptions, type PersonalDataKind } from './find-personal-data.ts'

/** Reserved or impossible values, so that a model learns the shape and nobody's data. The IP addresses answer no ping (datatrove's choice). */
const standIns: Readonly<Record<PersonalDataKind, readonly string[]>> = {
  emailAddress: ['email@example.com', 'firstname.lastname@example.org'],
  ipAddress: ['22.214.171.124', '126.96.36.199', '188.8.131.52', '184.108.40.206', '220.127.116.11', '18.104.22.168'],
  iban: ['<IBAN>'],
  creditCard: ['<CREDIT_CARD>'],
  usSocialSecurityNumber: ['<SOCIAL_SECURITY_NUMBER>'],
  phoneNumber: ['<PHONE_NUMBER>'],
}

export interface RedactPersonalDataOptions extends FindPersonalDataOptions {
  /** Kind → stand-in, or several to be taken in turn. */
  readonly replacements?: Partial<Readonly<Record<PersonalDataKind, string | readonly string[]>>>
}

/** Replaces personal data; every replacement is an edit of the decision. Detection is by shape and check digits: it misses some and hits some. */
export const redactPersonalData = (options: RedactPersonalDataOptions = {}): Step => {
  const name = 'redactPersonalData'
  checkNames(name, options, ['kinds', 'onlyPublicIpAddresses', 'replacements'])
  const { kinds = personalDataKinds, onlyPublicIpAddresses = true, replacements = {} } = options
  checkKinds(kinds)
  checkKinds(Object.keys(replacements) as PersonalDataKind[])
  const choices = Object.fromEntries(personalDataKinds.map((kind) => [kind, choicesOf(kind, replacements[kind])])) as Record<PersonalDataKind, readonly string[]>
  return {
    name,
    config: { kinds: [...kinds], onlyPublicIpAddresses, replacements: Object.fromEntries(kinds.map((kind) => [kind, [...choices[kind]]])) },
    start: async () => {
      const turns = new Map<PersonalDataKind, number>()
      const nextFor = (kind: PersonalDataKind): string => {
        const turn = turns.get(kind) ?? 0
        turns.set(kind, (turn + 1) % choices[kind].length)
        return choices[kind][turn]!
      }
      return {
        apply: (document) => {
          const found = findPersonalData(document.text, { kinds, onlyPublicIpAddresses })
          return editDocument(name, document, found.map(({ kind, span }) => ({ span, replacement: nextFor(kind) })))
        },
      }
    },
  }
}

const choicesOf = (kind: PersonalDataKind, given: string | readonly string[] | undefined): readonly string[] => {
  const choices = given === undefined ? standIns[kind] : typeof given === 'string' ? [given] : given
  if (choices.length === 0) throw new ConfigError(`redactPersonalData: replacements.${kind}: expected at least one text, got an empty list`)
  return choices
}
