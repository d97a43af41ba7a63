// Where a text names people's addresses and numbers. Kinds are looked for one after the other; what one has found is closed to the next.
import { ConfigError } from '@weft/contracts'
import type { Span } from '../step.ts'
import { findCreditCards, findIbans, findUsSocialSecurityNumbers } from './account-number.ts'
import { findEmailAddresses } from './email-address.ts'
import { findIpAddresses } from './ip-address.ts'
import { findPhoneNumbers } from './phone-number.ts'

export type PersonalDataKind = 'emailAddress' | 'ipAddress' | 'iban' | 'creditCard' | 'usSocialSecurityNumber' | 'phoneNumber'

/** In the order in which they are looked for: the most certain first. */
export const personalDataKinds: readonly PersonalDataKind[] = ['emailAddress', 'ipAddress', 'iban', 'creditCard', 'usSocialSecurityNumber', 'phoneNumber']

export interface FindPersonalDataOptions {
  /** Default: all. */
  readonly kinds?: readonly PersonalDataKind[]
  /** Leave private, local and reserved IP addresses alone; default true. */
  readonly onlyPublicIpAddresses?: boolean
}

export interface PersonalDataFinding {
  readonly kind: PersonalDataKind
  readonly span: Span
}

/** @throws ConfigError for an unknown kind, naming those there are. */
export const checkKinds = (kinds: readonly PersonalDataKind[]): void => {
  for (const kind of kinds) {
    if (!personalDataKinds.includes(kind)) throw new ConfigError(`personal data: unknown kind ${JSON.stringify(kind)}; known are ${personalDataKinds.join(', ')}`)
  }
}

/** All findings, from the first to the last, without overlap. */
export const findPersonalData = (text: string, options: FindPersonalDataOptions = {}): PersonalDataFinding[] => {
  const { kinds = personalDataKinds, onlyPublicIpAddresses = true } = options
  checkKinds(kinds)
  let found: PersonalDataFinding[] = []
  for (const kind of personalDataKinds) {
    if (!kinds.includes(kind)) continue
    const spans = kind === 'ipAddress' ? outside(found, text.length).flatMap((gap) => findIpAddresses(text, ...gap, onlyPublicIpAddresses)) : finders[kind](text)
    found = merge(found, spans.map((span) => ({ kind, span })))
  }
  return found
}

const finders = {
  emailAddress: findEmailAddresses,
  iban: findIbans,
  creditCard: findCreditCards,
  usSocialSecurityNumber: findUsSocialSecurityNumbers,
  phoneNumber: findPhoneNumbers,
}

const outside = (found: readonly PersonalDataFinding[], length: number): Span[] => {
  const ends = [0, ...found.map(({ span }) => span[1])]
  const starts = [...found.map(({ span }) => span[0]), length]
  return ends.map((end, i): Span => [end, starts[i]!])
}

/** Both lists are in order; of two that overlap the first list's stays. */
const merge = (first: readonly PersonalDataFinding[], second: readonly PersonalDataFinding[]): PersonalDataFinding[] => {
  const merged: PersonalDataFinding[] = []
  let i = 0
  for (const finding of second) {
    while (i < first.length && first[i]!.span[1] <= finding.span[0]) merged.push(first[i++]!)
    const next = first[i]
    if (next === undefined || next.span[0] >= finding.span[1]) merged.push(finding)
  }
  for (; i < first.length; i++) merged.push(first[i]!)
  return merged
}
