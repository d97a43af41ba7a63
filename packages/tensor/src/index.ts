export type { DType, HostArray } from './dtype.ts'
export type { Shape } from './shape.ts'
export type {
  Attrs,
  Backend,
  BackendMemory,
  BinaryOp,
  Kernel,
  KernelCall,
  Kernels,
  Meta,
  Operand,
  Primitive,
  ReduceOp,
  Slot,
  UnaryOp,
} from './backend.ts'
export { DisposedTensorError, DonatedTensorError, DTypeError, ShapeError } from './errors.ts'
export { ones, random, read, readScalar, tensor, zeros } from './create.ts'
export { full } from './primitives.ts'
export type { Tensor } from './tensor.ts'
export { disposeAll, keep, tidy } from './tidy.ts'
export { customVjp, grad, noGrad, recompute, valueAndGrad } from './tape.ts'
export { defineOp, type OpDefinition, type OpSpec, type VjpCall } from './op-definition.ts'
export { exec, execOne } from './exec.ts'
export { memory, withDecomposition } from './runtime.ts'
export { watchLeaks, type Leak } from './leaks.ts'
export { firstWorking, type BackendCandidate } from './first-working.ts'
export { childKey, randomKey, type RandomKey } from './random-key.ts'
export { createParameter, type Network, type Parameter, type Pass, type TokenBatch } from './network.ts'
