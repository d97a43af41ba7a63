// Entries of the primitives.
import { choice, list, number, type NativeOperations } from '../operation.ts'

export const primitives: NativeOperations = {
  fill: { attributes: [number('value')] },
  iota: {},
  unary: { attributes: [choice('op', ['neg', 'exp', 'log', 'sqrt', 'rsqrt', 'sin', 'cos', 'tanh', 'erf', 'abs', 'floor'])] },
  binary: { attributes: [choice('op', ['add', 'sub', 'mul', 'div', 'max', 'min', 'pow', 'lt', 'eq'])] },
  where: {},
  cast: {},
  reduce: { attributes: [choice('op', ['sum', 'max', 'min']), list('axes')] },
  permute: { attributes: [list('axes')] },
  broadcastTo: {},
  slice: { attributes: [list('starts')] },
  pad: { attributes: [list('before'), number('value')] },
  concat: { attributes: [number('axis')] },
  gather: { attributes: [number('axis')] },
  scatterAdd: {},
}
