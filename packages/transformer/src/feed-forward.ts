// The feed-forward half of a block: two matrices around an activation, or three with a gate (Shazeer 2020, "GLU variants").
import type { Tensor } from '@weft/tensor'
import { geGlu, swiGlu } from '@weft/tensor/ops'
import { project } from './projection.ts'
import type { Run } from './run.ts'

/** x [B, T, D] → [B, T, D]. */
export const feedForward = (run: Run, layer: string, x: Tensor): Tensor => {
  const { isGated, activation } = run.config
  const name = `${layer}.feedForward`
  if (!isGated) return project(run, `${name}.down`, project(run, `${name}.up`, x, activation))
  const [gate, up] = [project(run, `${name}.gate`, x), project(run, `${name}.up`, x)]
  const wide = activation === 'silu' ? swiGlu(gate, up) : geGlu(gate, up, { approximate: activation === 'geluTanh' ? 'tanh' : 'none' })
  return project(run, `${name}.down`, wide)
}
