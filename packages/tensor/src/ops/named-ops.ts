// Every named operation with its backward operation, for tools that go through all of them.
import type { OpDefinition } from '../op-definition.ts'
import { randomBitsOp } from '../create.ts'
import { geGluBackwardOp, geGluOp, geluBackwardOp, geluOp, reluBackwardOp, reluOp, sigmoidBackwardOp, sigmoidOp, siluBackwardOp, siluOp, swiGluBackwardOp, swiGluOp } from './activation.ts'
import { addLayerNormBackwardOp, addLayerNormOp, addRmsNormBackwardOp, addRmsNormOp } from './add-norm.ts'
import { attentionBackwardOp, attentionOp } from './attention.ts'
import { crossEntropyBackwardOp, crossEntropyOp } from './cross-entropy.ts'
import { dropoutOp } from './dropout.ts'
import { embeddingBackwardOp, embeddingOp } from './embedding.ts'
import { expertLinearBackwardOp, expertLinearOp } from './expert-linear.ts'
import { kvAppendOp } from './kv-cache.ts'
import { activatedLinearOp, linearBackwardOp, linearOp } from './linear.ts'
import { linearCrossEntropyBackwardOp, linearCrossEntropyOp } from './linear-cross-entropy.ts'
import { codeBookOp, halfTableOp } from './quantized-bytes.ts'
import { dequantizeOp, packQuantizedOp, quantizedEmbeddingOp, quantizedMatMulBackwardOp, quantizedMatMulOp } from './quantized-mat-mul.ts'
import { layerNormBackwardOp, layerNormOp, rmsNormBackwardOp, rmsNormOp } from './norm.ts'
import { adamWStepOp, addIntoOp, globalNormOp, lionStepOp, muonStepOp, sgdStepOp } from './optimizer-steps.ts'
import { qkvRopeBackwardOp, qkvRopeOp, ropeBackwardOp, ropeOp } from './rope.ts'
import { sampleTokenOp } from './sampling.ts'
import { splitHeadsBackwardOp, splitHeadsOp } from './split-heads.ts'
import { logSoftmaxBackwardOp, logSoftmaxOp, meanOp, softmaxBackwardOp, softmaxOp } from './softmax.ts'
import { argMaxOp, cumSumOp, topKOp } from './top-k.ts'

export const namedOps: readonly OpDefinition[] = [
  softmaxOp, softmaxBackwardOp, logSoftmaxOp, logSoftmaxBackwardOp, meanOp,
  layerNormOp, layerNormBackwardOp, rmsNormOp, rmsNormBackwardOp, addLayerNormOp, addLayerNormBackwardOp, addRmsNormOp, addRmsNormBackwardOp,
  ropeOp, ropeBackwardOp, qkvRopeOp, qkvRopeBackwardOp, splitHeadsOp, splitHeadsBackwardOp,
  geluOp, geluBackwardOp, siluOp, siluBackwardOp, sigmoidOp, sigmoidBackwardOp, reluOp, reluBackwardOp, swiGluOp, swiGluBackwardOp, geGluOp, geGluBackwardOp,
  linearOp, activatedLinearOp, linearBackwardOp, expertLinearOp, expertLinearBackwardOp, embeddingOp, embeddingBackwardOp, attentionOp, attentionBackwardOp,
  crossEntropyOp, crossEntropyBackwardOp, linearCrossEntropyOp, linearCrossEntropyBackwardOp, dropoutOp,
  adamWStepOp, lionStepOp, sgdStepOp, muonStepOp, globalNormOp, addIntoOp,
  packQuantizedOp, dequantizeOp, quantizedMatMulOp, quantizedMatMulBackwardOp, quantizedEmbeddingOp, halfTableOp, codeBookOp,
  kvAppendOp, argMaxOp, topKOp, cumSumOp, sampleTokenOp, randomBitsOp,
]
