// From what a caller says about its tokens (mask, positions, segments, cache) to what layers need; checks that it goes together.
// B batch, T new tokens.
import { ConfigError } from '@weft/contracts'
import { tensor, type Backend, type Tensor } from '@weft/tensor'
import { add, broadcastTo, cast, cumSum, equal, iota, maximum, reshape, scalarLike, sub, where } from '@weft/tensor/ops'
import { layoutOf } from './kv-cache.ts'
import type { ForwardInput } from './model.ts'
import type { DecoderParts, Placement } from './run.ts'

/** @throws ConfigError when the inputs do not go together or the tokens do not fit into the context. */
export const place = (parts: DecoderParts, input: ForwardInput): Placement => {
  const { kvCache, attentionMask, positions, segmentIds } = input
  const [rows, length] = shapeOfInput(input)
  if (rows === 0 || length === 0) throw new ConfigError(`forward: expected at least one row and one token, got [${rows}, ${length}]`)
  requireShapes(rows, length, { attentionMask, positions, segmentIds })
  requireLengths(input, rows, length)
  if (kvCache !== undefined) return placeAfter(parts, input, kvCache.lengths, rows, length)
  if (positions === undefined) requireContext(parts, 0, length)
  const { backend } = parts
  const masked = attentionMask === undefined ? {} : maskedPlacement(backend, attentionMask, rows, length)
  return {
    rows,
    length,
    offset: 0,
    ...masked,
    ...(positions === undefined ? {} : { positions }),
    ...(segmentIds === undefined ? {} : { segments: segmentIds }),
  }
}

const shapeOfInput = ({ tokenIds, inputEmbeddings }: ForwardInput): [number, number] => {
  if ((tokenIds === undefined) === (inputEmbeddings === undefined)) {
    throw new ConfigError('forward: expected either tokenIds or inputEmbeddings, ' + (tokenIds === undefined ? 'got neither' : 'got both'))
  }
  const shape = tokenIds?.shape ?? inputEmbeddings!.shape
  if (tokenIds !== undefined && (shape.length !== 2 || tokenIds.dtype !== 'i32')) {
    throw new ConfigError(`forward: tokenIds must be i32 [batch, sequence], got ${tokenIds.dtype} [${shape.join(', ')}]`)
  }
  if (inputEmbeddings !== undefined && shape.length !== 3) throw new ConfigError(`forward: inputEmbeddings must be [batch, sequence, dModel], got [${shape.join(', ')}]`)
  return [shape[0]!, shape[1]!]
}

const requireShapes = (rows: number, length: number, inputs: Readonly<Record<string, Tensor | undefined>>): void => {
  for (const [name, x] of Object.entries(inputs)) {
    if (x === undefined) continue
    if (x.shape.length !== 2 || x.shape[0] !== rows || x.shape[1] !== length) {
      throw new ConfigError(`forward: ${name} must be [${rows}, ${length}] like the tokens, got [${x.shape.join(', ')}]`)
    }
    if (x.dtype !== 'i32' && !(name === 'attentionMask' && x.dtype === 'u8')) throw new ConfigError(`forward: ${name} must be i32, got ${x.dtype}`)
  }
}

const requireLengths = ({ lengths, attentionMask, kvCache }: ForwardInput, rows: number, length: number): void => {
  if (lengths !== undefined) {
    if (lengths.length !== rows) throw new ConfigError(`forward: lengths must have one number for each of ${rows} rows, got ${lengths.length}`)
    const wrong = lengths.find((n) => !Number.isInteger(n) || n < 0 || n > length)
    if (wrong !== undefined) throw new ConfigError(`forward: lengths must be integers from 0 to ${length}, got ${wrong}`)
    if (attentionMask !== undefined) throw new ConfigError('forward: attentionMask and lengths say the same thing twice; give one')
  }
  if (kvCache !== undefined && kvCache.rows !== rows) throw new ConfigError(`forward: the kvCache has ${kvCache.rows} rows, the tokens ${rows}; reorder or fork it`)
}

const requireContext = ({ config }: DecoderParts, before: number, length: number): void => {
  const { contextLength } = config
  if (before + length <= contextLength) return
  const inCache = before === 0 ? '' : ` (${before} in the cache, ${length} new)`
  throw new ConfigError(
    `forward: ${before + length} tokens${inCache} do not fit into the context of ${contextLength}; cut the text from the left${before === 0 ? ' or split it' : ', or shift the cache'}`,
  )
}

/** After what a cache holds: each row goes on where it is. Padding on the right is never seen, since no real token comes after it. */
const placeAfter = (parts: DecoderParts, input: ForwardInput, at: readonly number[], rows: number, length: number): Placement => {
  for (const name of ['attentionMask', 'positions', 'segmentIds'] as const) {
    if (input[name] !== undefined) throw new ConfigError(`forward: ${name} does not go with a kvCache; pad on the right and give lengths instead`)
  }
  const layout = layoutOf(parts.config)
  if (input.kvCache!.layout !== layout) throw new ConfigError(`forward: the kvCache was made for ${input.kvCache!.layout}, the model has ${layout}`)
  const { contextLength } = parts.config
  // Rows of different lengths may be padded beyond the context; what counts is where each row's real tokens end.
  const real = input.lengths ?? at.map(() => length)
  const fullest = at.reduce((best, start, row) => (start + real[row]! > at[best]! + real[best]! ? row : best), 0)
  requireContext(parts, at[fullest]!, real[fullest]!)
  const [first] = at as [number]
  const base = { rows, length, kvCache: input.kvCache!, at: [...at] }
  if (first + length <= contextLength && at.every((start) => start === first)) return { ...base, offset: first }
  const positions = Int32Array.from({ length: rows * length }, (_, i) => Math.min(contextLength - 1, at[Math.floor(i / length)]! + (i % length)))
  return { ...base, offset: 0, positions: tensor(parts.backend, positions, [rows, length]) }
}

/** Positions count the real tokens; keys under the mask are invisible. */
const maskedPlacement = (backend: Backend, mask: Tensor, rows: number, length: number): Pick<Placement, 'positions' | 'queryPositions' | 'keyPositions'> => {
  const order = broadcastTo(reshape(iota(backend, length), [1, length]), [rows, length])
  const minusOne = scalarLike(order, -1)
  const isPadding = equal(cast(mask, 'i32'), scalarLike(order, 0))
  // Sums below 2^24 are exact in f32, where every backend has a cumulative sum.
  const count = cast(cumSum(cast(where(isPadding, scalarLike(order, 0), scalarLike(order, 1)), 'f32'), { axis: 1 }), 'i32')
  return {
    positions: maximum(add(count, minusOne), sub(minusOne, minusOne)),
    queryPositions: order,
    keyPositions: where(isPadding, minusOne, order),
  }
}
