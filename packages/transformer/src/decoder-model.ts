// Parameters and code put together: a Model, and a Network for trainers. B batch, T tokens, D dModel, V vocabSize, N rows.
import { ConfigError } from '@weft/contracts'
import { tensor, tidy, type Pass, type Tensor, type TokenBatch } from '@weft/tensor'
import { gather, linearCrossEntropy, reshape, type Weight } from '@weft/tensor/ops'
import type { Adapter } from './adapter.ts'
import { runDecoder } from './decoder.ts'
import { disposeSymbol } from './dispose-symbol.ts'
import { linearModules } from './lora.ts'
import type { ForwardInput, ForwardOutput, Model } from './model.ts'
import { partsOf, rememberParts } from './parts-of.ts'
import { place } from './placement.ts'
import { multiply } from './projection.ts'
import { disposeQuantized } from './quantized-weights.ts'
import { weight, type DecoderParts, type Run } from './run.ts'

/** @param owns whether disposing the model frees the parameters; views do not. */
export const modelOf = (parts: DecoderParts, owns: boolean): Model => {
  const { config, backend, parameters, adapters } = parts
  const model: Model = {
    config,
    backend,
    adapters,
    baseParameters: () => parameters,
    parameters: () => (adapters.length === 0 ? parameters : new Map([...parameters, ...adapters.flatMap((adapter) => [...adapter.parameters()])])),
    forward: (input) => forward(parts, input),
    hiddenStates: (batch, pass) => ({ hidden: hiddenOfBatch(parts, batch, pass) }),
    logits: (hidden) => multiply(parts, headName(parts), hidden),
    tokenLosses: (hidden, batch, options) => tokenLosses(parts, hidden, batch, options),
    withAdapters: (next) => {
      requireFitting(parts, next)
      return modelOf({ ...parts, adapters: [...next] }, false)
    },
    dispose: () => {
      if (!owns) return
      for (const { value, master } of parameters.values()) for (const x of [value, master]) x?.dispose()
      disposeQuantized(parts.quantized.values())
      parts.frequencies?.dispose()
    },
    [disposeSymbol]: () => model.dispose(),
  }
  rememberParts(model, parts)
  return model
}

const headName = ({ config }: DecoderParts): string => (config.tieEmbeddings ? 'embeddings.token.weight' : 'head.weight')

const headWeight = (parts: DecoderParts): Weight => parts.quantized.get(headName(parts))?.[0] ?? weight(parts, headName(parts))

/** @throws ConfigError for an adapter that was made for a model of another shape. */
const requireFitting = ({ config }: DecoderParts, adapters: readonly Adapter[]): void => {
  const modules = new Map(linearModules(config).map((module) => [module.module, module.shape]))
  for (const { module, a, b } of adapters.flatMap((adapter) => [...adapter.updates.values()].flat())) {
    const own = modules.get(module)
    const wanted = [b.value.shape[0]!, a.value.shape[1]!] as const
    if (own !== undefined && own[0] === wanted[0] && own[1] === wanted[1]) continue
    const has = own === undefined ? 'no such module' : `[${own.join(', ')}]`
    throw new ConfigError(`withAdapters: ${module} of the adapter is for a matrix [${wanted.join(', ')}], the model has ${has}`)
  }
}

const startRun = (parts: DecoderParts, input: ForwardInput): Run => ({
  ...parts,
  placement: place(parts, input),
  pass: input.pass,
  captureAttentions: input.capture?.attentions === true,
})

const forward = (parts: DecoderParts, input: ForwardInput): ForwardOutput => {
  const { kvCache, capture } = input
  const output = tidy(() => {
    const run = startRun(parts, input)
    kvCache?.reserve(run.placement.length)
    const { hidden, hiddenStates, attentions } = runDecoder(run, input)
    const logits = multiply(run, headName(parts), input.logitsAt === 'last' ? lastRows(run, hidden, input.lengths) : hidden)
    return {
      logits,
      ...(capture?.hiddenStates === true ? { hiddenStates } : {}),
      ...(capture?.attentions === true ? { attentions } : {}),
    }
  })
  const [rows, length] = (input.tokenIds ?? input.inputEmbeddings!).shape as [number, number]
  kvCache?.advance(input.lengths ?? new Array<number>(rows).fill(length))
  return output
}

/** `forward` without logits: hidden states [B, T, D] after the final norm. */
export const forwardHidden = (model: Model, input: ForwardInput): Tensor => {
  const parts = partsOf(model)
  const { hidden, counts } = tidy(() => {
    const run = startRun(parts, input)
    const { rows, length } = run.placement
    input.kvCache?.reserve(length)
    return { hidden: runDecoder(run, input).hidden, counts: input.lengths ?? new Array<number>(rows).fill(length) }
  })
  input.kvCache?.advance(counts)
  return hidden
}

/** [B, T, D] → [B, D]: each row at its last real token. */
const lastRows = (run: Run, hidden: Tensor, lengths: readonly number[] | undefined): Tensor => {
  const { rows, length } = run.placement
  const flat = reshape(hidden, [rows * length, run.config.dModel])
  if (length === 1) return flat
  const indices = Int32Array.from({ length: rows }, (_, row) => row * length + Math.max(0, (lengths?.[row] ?? length) - 1))
  return gather(flat, tensor(run.backend, indices, [rows]))
}

/** Whether a row has padding before a real token. */
const hidesEarlierTokens = (mask: Uint8Array, length: number): boolean => mask.some((isReal, i) => isReal !== 0 && i % length > 0 && mask[i - 1] === 0)

const hiddenOfBatch = (parts: DecoderParts, batch: TokenBatch, pass: Pass): Tensor => {
  if (batch.encoder !== undefined) throw new ConfigError('hiddenStates: the batch has an encoder input, but this model is a decoder alone')
  return tidy(() => {
    const { backend } = parts
    const upload = (values: Int32Array | Uint8Array): Tensor => tensor(backend, values, batch.shape)
    const { tokenIds, attentionMask, positions, segmentIds } = batch
    // Padding on the right is seen by no token before it: only other masks are worth leaving the fast path.
    const hasPadding = attentionMask !== undefined && hidesEarlierTokens(attentionMask, batch.shape[1])
    const input: ForwardInput = {
      tokenIds: upload(tokenIds),
      pass,
      ...(hasPadding ? { attentionMask: upload(attentionMask) } : {}),
      ...(positions === undefined ? {} : { positions: upload(positions) }),
      ...(segmentIds === undefined ? {} : { segmentIds: upload(segmentIds) }),
    }
    return runDecoder(startRun(parts, input), input).hidden
  })
}

const tokenLosses = (parts: DecoderParts, hidden: Tensor, batch: TokenBatch, options: { readonly labelSmoothing?: number; readonly zLoss?: number } = {}): Tensor => {
  const { targetIds, shape } = batch
  if (targetIds === undefined) throw new ConfigError('tokenLosses: the batch has no targetIds')
  const [rows, length] = shape
  return tidy(() => {
    const flat = reshape(hidden, [rows * length, parts.config.dModel])
    const targets = tensor(parts.backend, targetIds, [rows * length])
    return reshape(linearCrossEntropy(flat, headWeight(parts), targets, options), [rows, length])
  })
}

