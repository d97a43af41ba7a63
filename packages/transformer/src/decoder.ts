// A decoder's pass from tokens to hidden states: embeddings, then pre-norm blocks on a residual stream (GPT-2, Llama).
// Every addition to the stream is fused with the norm that follows it. B batch, T tokens, D dModel.
import { tidy, type Tensor } from '@weft/tensor'
import { add, addLayerNorm, addRmsNorm, cast, embedding, layerNorm, rmsNorm, reshape, slice } from '@weft/tensor/ops'
import { attentionBlock } from './attention-block.ts'
import { feedForward } from './feed-forward.ts'
import type { ForwardInput } from './model.ts'
import { drop, weight, weightIfAny, type Run } from './run.ts'

export interface Hidden {
  /** [B, T, D] after the final norm. */
  readonly hidden: Tensor
  readonly hiddenStates: readonly Tensor[]
  readonly attentions: readonly Tensor[]
}

/** The residual stream, and its norm for whoever reads it next. */
interface Stream {
  readonly sum: Tensor
  readonly normed: Tensor
}

/** Runs all blocks; what a block leaves behind is freed before the next begins. */
export const runDecoder = (run: Run, input: ForwardInput): Hidden => {
  const { numLayers } = run.config
  const keepStates = input.capture?.hiddenStates === true
  const hiddenStates: Tensor[] = []
  const attentions: Tensor[] = []
  let stream = tidy(() => {
    const sum = embed(run, input)
    return { sum, normed: norm(run, normName(run, 0), sum) }
  })
  for (let i = 0; i < numLayers; i++) {
    const { sum, normed, probabilities } = tidy(() => block(run, i, stream))
    if (probabilities !== undefined) attentions.push(probabilities)
    if (keepStates) hiddenStates.push(stream.sum)
    else stream.sum.dispose()
    stream.normed.dispose()
    stream = { sum, normed }
  }
  stream.sum.dispose()
  if (keepStates) hiddenStates.push(stream.normed)
  return { hidden: stream.normed, hiddenStates, attentions }
}

const block = (run: Run, i: number, { sum, normed }: Stream): Stream & { probabilities?: Tensor } => {
  const { residual } = run.config.dropout
  const { output, probabilities } = attentionBlock(run, i, normed)
  const middle = addNorm(run, `layers.${i}.feedForwardNorm`, drop(run, output, residual, `layers.${i}.attention`), sum)
  const wide = feedForward(run, `layers.${i}`, middle.normed)
  const next = addNorm(run, normName(run, i + 1), drop(run, wide, residual, `layers.${i}.feedForward`), middle.sum)
  return probabilities === undefined ? next : { ...next, probabilities }
}

/** The norm that reads the stream before layer i; after the last layer the final one. */
const normName = ({ config }: Run, i: number): string => (i < config.numLayers ? `layers.${i}.attentionNorm` : 'finalNorm')

const norm = (run: Run, name: string, x: Tensor): Tensor => {
  const { kind, epsilon } = run.config.norm
  const scale = weight(run, `${name}.weight`)
  return kind === 'rmsNorm' ? rmsNorm(x, scale, { epsilon }) : layerNorm(x, scale, weightIfAny(run, `${name}.bias`), { epsilon })
}

const addNorm = (run: Run, name: string, x: Tensor, residual: Tensor): Stream => {
  const { kind, epsilon } = run.config.norm
  const scale = weight(run, `${name}.weight`)
  return kind === 'rmsNorm' ? addRmsNorm(x, residual, scale, { epsilon }) : addLayerNorm(x, residual, scale, weightIfAny(run, `${name}.bias`), { epsilon })
}

/** [B, T, D]: token vectors plus, where learned, position vectors. */
const embed = (run: Run, { tokenIds, inputEmbeddings }: ForwardInput): Tensor => {
  const { config } = run
  const tokens = activation(run, inputEmbeddings ?? embedding(run.quantized.get('embeddings.token.weight')?.[0] ?? weight(run, 'embeddings.token.weight'), tokenIds!))
  const whole = config.positions.kind === 'learned' ? add(tokens, activation(run, positionVectors(run))) : tokens
  return drop(run, whole === inputEmbeddings ? reshape(whole, whole.shape) : whole, config.dropout.embedding, 'embeddings')
}

/** The stream is f32 whatever the tables are, or bf16 where the pass wants that; every layer goes on in the stream's dtype. */
const activation = ({ pass }: Run, x: Tensor): Tensor => {
  if (pass?.precision === 'bf16') return cast(x, 'bf16')
  return x.dtype === 'bf16' || x.dtype === 'f16' ? cast(x, 'f32') : x
}

/** [B, T, D], or [T, D] where all rows stand alike. */
const positionVectors = (run: Run): Tensor => {
  const table = weight(run, 'embeddings.position.weight')
  const { positions, offset, length } = run.placement
  return positions === undefined ? slice(table, [offset, 0], [length, run.config.dModel]) : embedding(table, positions)
}
