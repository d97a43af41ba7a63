// What parameters are held in while they are trained. A bf16 value has an f32 master, which is what the updates go to.
import { UnsupportedError } from '@weft/contracts'
import { tidy, type Backend, type Parameter } from '@weft/tensor'
import { cast, mul, scalarLike } from '@weft/tensor/ops'

/**
 * bf16 values with f32 masters. Norms stay in f32: they cost nothing, and near 1 the numbers of bf16 lie 0.004 to 0.008 apart, so that small
 * updates would not be seen for many steps; that alone moved losses by 1 % in a GPT of 2 million parameters.
 *
 * @throws UnsupportedError where the backend has no bf16; nothing has changed then.
 */
export const keepMasters = (parameters: readonly Parameter[], backend: Backend): void => {
  if (!backend.traits.dtypes.has('bf16')) throw new UnsupportedError(`precision: backend ${backend.name} has no bf16; use precision 'f32'`)
  tidy(() => {
    for (const parameter of parameters) {
      const { value, master, role } = parameter
      if (role === 'norm') {
        if (master === undefined && value.dtype !== 'f32') parameter.assign({ value: cast(value, 'f32') })
      } else if (master === undefined || value.dtype !== 'bf16') {
        parameter.assign({ value: cast(master ?? value, 'bf16'), master: master ?? cast(value, 'f32') })
      }
    }
  })
}

/** What was trained in bf16 before goes on from its masters. */
export const widenValues = (parameters: readonly Parameter[]): void =>
  tidy(() => {
    for (const parameter of parameters) {
      const { value, master } = parameter
      if (master !== undefined && value.dtype !== master.dtype) parameter.assign({ value: mul(master, scalarLike(master, 1)), master })
    }
  })
