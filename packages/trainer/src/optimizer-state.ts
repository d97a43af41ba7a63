// The live state of a run: what the optimizer remembers of each group, and one update of all of it. Owns its tensors.
import { ConfigError } from '@weft/contracts'
import type { Backend, Tensor } from '@weft/tensor'
import { disposeAll, keep, noGrad, tidy, zeros } from '@weft/tensor'
import { optimizerRule, type OptimizerConfig } from './optimizer.ts'
import type { ParameterGroup } from './parameter-groups.ts'

export interface OptimizerState {
  readonly groups: readonly ParameterGroup[]
  /** Names of the per-parameter lists in `lists`. */
  readonly stateNames: readonly string[]
  /** [group][list][parameter]. */
  readonly lists: readonly (readonly (readonly Tensor[])[])[]
  /** f32 scalar a group: updates that counted. */
  readonly steps: readonly Tensor[]
  /** One synchronous update; consumes the gradients. */
  update(gradients: ReadonlyMap<string, Tensor>, gradientScale: Tensor, now: { readonly learningRate: number; readonly step: number }): void
  /** Takes over restored lists and step counts; frees the old ones. */
  replace(lists: readonly (readonly (readonly Tensor[])[])[], steps: readonly Tensor[]): void
  dispose(): void
}

export const createOptimizerState = (config: OptimizerConfig, groups: readonly ParameterGroup[], backend: Backend): OptimizerState => {
  const rule = optimizerRule(config)
  const other = groups.flatMap(({ parameters }) => parameters).find(({ value }) => value.shape.length !== 2)
  if (rule.matricesOnly === true && other !== undefined) {
    throw new ConfigError(`optimizer ${config.kind}: trains matrices alone, ${other.name} is [${other.value.shape.join(', ')}]; leave it out of \`parameters\` or use adamW`)
  }
  const lists: (readonly (readonly Tensor[])[])[] = groups.map(({ parameters }) => rule.stateNames.map(() => parameters.map(({ value }) => keep(zeros(backend, value.shape)))))
  const steps = groups.map(() => keep(zeros(backend, [])))
  return {
    groups,
    stateNames: rule.stateNames,
    lists,
    steps,
    update: (gradients, gradientScale, { learningRate, step }) =>
      noGrad(() =>
        tidy(() => {
          groups.forEach((group, g) => {
            if (step < group.fromStep) return
            const { parameters } = group
            const masters = parameters.flatMap(({ master }) => (master === undefined ? [] : [master]))
            const next = rule.apply(
              config,
              {
                values: parameters.map(({ value }) => value),
                masters,
                gradients: parameters.map(({ name }) => gradients.get(name)!),
                state: lists[g]!,
                step: steps[g]!,
                gradientScale,
              },
              { learningRate: learningRate * group.learningRateScale, weightDecay: group.weightDecay },
            )
            parameters.forEach((parameter, i) => {
              const master = next.masters[i]
              parameter.assign({ value: next.values[i]!, ...(master === undefined ? {} : { master }) })
            })
            lists[g] = keep(next.state)
            steps[g] = keep(next.step)
          })
        }),
      ),
    replace: (nextLists, nextSteps) => {
      disposeAll(lists)
      disposeAll(steps)
      nextLists.forEach((list, g) => (lists[g] = keep(list)))
      nextSteps.forEach((step, g) => (steps[g] = keep(step)))
    },
    dispose: () => {
      disposeAll(lists)
      disposeAll(steps)
    },
  }
}
