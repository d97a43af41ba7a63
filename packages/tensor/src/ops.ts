// Every operation as a function: the primitives, and the named ones, which have a decomposition and so run on every backend.
export {
  abs,
  add,
  broadcastTo,
  cast,
  concat,
  cos,
  div,
  equal,
  erf,
  exp,
  floor,
  full,
  gather,
  iota,
  lessThan,
  log,
  matMul,
  max,
  maximum,
  min,
  minimum,
  mul,
  neg,
  pad,
  permute,
  pow,
  reshape,
  rsqrt,
  scalarLike,
  scatterAdd,
  sin,
  slice,
  sqrt,
  sub,
  sum,
  sumTo,
  tanh,
  where,
} from './primitives.ts'
export { randomBits } from './create.ts'
export { logSoftmax, mean, softmax } from './ops/softmax.ts'
export { layerNorm, rmsNorm } from './ops/norm.ts'
export { addLayerNorm, addRmsNorm } from './ops/add-norm.ts'
export { qkvRope, rope, type RopeOptions } from './ops/rope.ts'
export { splitHeads } from './ops/split-heads.ts'
export { geGlu, gelu, relu, sigmoid, silu, swiGlu, type GeluApproximation } from './ops/activation.ts'
export { isQuantized, type QuantizedFormat, type QuantizedTensor, type Weight } from './ops/weight.ts'
export { embedding } from './ops/embedding.ts'
export { linear, type LinearActivation, type LinearLayout, type LinearOptions } from './ops/linear.ts'
export { expertLinear } from './ops/expert-linear.ts'
export { dequantize, packQuantized, quantizedEmbedding, quantizedMatMul } from './ops/quantized-mat-mul.ts'
export { attention, type AttentionInputs, type AttentionOptions } from './ops/attention.ts'
export { crossEntropy, type CrossEntropyOptions } from './ops/cross-entropy.ts'
export { linearCrossEntropy, type LinearCrossEntropyOptions } from './ops/linear-cross-entropy.ts'
export { dropout } from './ops/dropout.ts'
export { adamWStep, addInto, globalNorm, lionStep, muonStep, sgdStep, type MuonSettings } from './ops/optimizer-steps.ts'
export { kvAppend } from './ops/kv-cache.ts'
export { argMax, cumSum, topK, type CumSumOptions } from './ops/top-k.ts'
export { sampleToken, type SampleInputs, type SampleOptions } from './ops/sampling.ts'
export { namedOps } from './ops/named-ops.ts'
