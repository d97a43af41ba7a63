// Which settings each parameter trains with.
import { ConfigError } from '@weft/contracts'
import type { Parameter } from '@weft/tensor'

/** Applies to the parameters that match all of role, layers and name; of several rules the later one wins, field by field. */
export interface GroupRule {
  readonly role?: Parameter['role'] | readonly Parameter['role'][]
  readonly layers?: readonly number[]
  /** A part of the name, or a regular expression. */
  readonly name?: string | RegExp
  readonly learningRateScale?: number
  readonly weightDecay?: number
  /** Left unchanged before this update (from 0). */
  readonly fromStep?: number
}

export interface ParameterGroup {
  readonly parameters: readonly Parameter[]
  readonly learningRateScale: number
  readonly weightDecay: number
  readonly fromStep: number
}

/** No decay where it only shrinks what normalisation needs. */
export const defaultGroups: readonly GroupRule[] = [{ role: ['bias', 'norm'], weightDecay: 0 }]

/** Parameters with equal settings step together, in one call. */
export const groupParameters = (parameters: readonly Parameter[], rules: readonly GroupRule[], weightDecay: number): ParameterGroup[] => {
  const seen = new Set<string>()
  const groups = new Map<string, { parameters: Parameter[]; learningRateScale: number; weightDecay: number; fromStep: number }>()
  for (const parameter of parameters) {
    if (seen.has(parameter.name)) throw new ConfigError(`parameters: two are named ${parameter.name}; a tied tensor is listed once`)
    seen.add(parameter.name)
    const settings = { learningRateScale: 1, weightDecay, fromStep: 0 }
    for (const rule of rules) {
      if (!matches(rule, parameter)) continue
      settings.learningRateScale = rule.learningRateScale ?? settings.learningRateScale
      settings.weightDecay = rule.weightDecay ?? settings.weightDecay
      settings.fromStep = rule.fromStep ?? settings.fromStep
    }
    // An update has a master for every value or for none.
    const key = JSON.stringify({ ...settings, hasMaster: parameter.master !== undefined })
    const group = groups.get(key) ?? { parameters: [], ...settings }
    group.parameters.push(parameter)
    groups.set(key, group)
  }
  return [...groups.values()]
}

const matches = (rule: GroupRule, parameter: Parameter): boolean => {
  if (rule.role !== undefined && !([] as readonly string[]).concat(rule.role).includes(parameter.role)) return false
  if (rule.layers !== undefined && (parameter.layerIndex === undefined || !rule.layers.includes(parameter.layerIndex))) return false
  if (rule.name === undefined) return true
  return typeof rule.name === 'string' ? parameter.name.includes(rule.name) : rule.name.test(parameter.name)
}
