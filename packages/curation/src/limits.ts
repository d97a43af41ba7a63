// Helpers for rules with a limit: settings checked once at the door, and the verdict of a rule that was broken.
import { ConfigError } from '@weft/contracts'
import type { Cut, Verdict } from './step.ts'

export const dropFor = (rule: string, value: number, threshold: number, more: Partial<Cut> = {}): Verdict => ({ drop: { rule, value, threshold, ...more } })

/** Settings with the defaults filled in. @throws ConfigError for an unknown name or a value that is not a finite number. */
export const withDefaults = <T extends { readonly [name: string]: number }>(step: string, defaults: T, given: Partial<Record<keyof T, number | undefined>>): T => {
  const filled: Record<string, number> = { ...defaults }
  for (const name of Object.keys(defaults)) {
    const value = given[name]
    if (value === undefined) continue
    if (typeof value !== 'number' || Number.isNaN(value)) throw new ConfigError(`${step}: ${name}: expected a number, got ${JSON.stringify(value) ?? typeof value}`)
    filled[name] = value
  }
  return filled as T
}

/** @throws ConfigError for an option that the step does not have, naming those it has. */
export const checkNames = (step: string, given: object, known: readonly string[]): void => {
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) throw new ConfigError(`${step}: unknown option ${name}; known are ${known.join(', ')}`)
  }
}

/** @throws ConfigError unless it is an integer in the range. */
export const checkInteger = (step: string, name: string, value: number, from: number, to: number): void => {
  if (!Number.isInteger(value) || value < from || value > to) throw new ConfigError(`${step}: ${name}: expected an integer from ${from} to ${to}, got ${value}`)
}
