// LayerNorm and RMSNorm, with and without the residual addition before them, forwards and backwards: a few passes over each row
// while it is in the cache. Statistics and sums are in f64. N rows, D features.
import type { Device, Value } from '../device.ts'
import { input, numbers, optional, type Body, type Call } from '../kernel.ts'

/** LayerNorm subtracts the mean; RMSNorm does not. */
type Kind = 'layer' | 'rms'

interface Row {
  readonly x: Float32Array
  readonly at: number
  readonly size: number
}

const meanOf = ({ x, at, size }: Row): number => {
  let total = 0
  for (let i = at; i < at + size; i++) total += x[i]!
  return total / size
}

/** 1 / √(mean((x − mean)²) + epsilon) */
const reciprocalDeviation = ({ x, at, size }: Row, mean: number, epsilon: number): number => {
  let total = 0
  for (let i = at; i < at + size; i++) {
    const d = x[i]! - mean
    total += d * d
  }
  return 1 / Math.sqrt(total / size + epsilon)
}

/** The parameters of a norm as f64 rows: weight + offset, and the bias or zeros. */
const parameterRow = (device: Device, x: Value | undefined, size: number, offset: number): Float64Array => {
  const row = new Float64Array(size)
  if (x !== undefined) row.set(device.floats(x))
  if (offset !== 0) for (let i = 0; i < size; i++) row[i]! += offset
  return row
}

const offsetOf = (call: Call): number => (call.attrs['offset'] as number | undefined) ?? 0

/** normed [N, D], and one mean (LayerNorm alone) and one 1/deviation a row where the call asks for them. */
const normalize = (device: Device, call: Call, kind: Kind, from: Value, weight: Value, bias: Value | undefined, firstStatistic: number): Value[] => {
  const size = weight.data.size
  const normed = device.allocate(from.shape, 'f32')
  const statistics = call.outputs.slice(firstStatistic).map(({ shape }) => device.allocate(shape, 'f32'))
  const [x, y] = [device.floats(from), device.floats(normed)]
  const [scale, shift] = [parameterRow(device, weight, size, offsetOf(call)), parameterRow(device, bias, size, 0)]
  const views = statistics.map((value) => device.floats(value))
  const [means, rstds] = kind === 'layer' ? [views[0], views[1]] : [undefined, views[0]]
  const epsilon = call.attrs['epsilon'] as number
  for (let at = 0, n = 0; at < x.length; at += size, n++) {
    const row = { x, at, size }
    const mean = kind === 'layer' ? meanOf(row) : 0
    const rstd = reciprocalDeviation(row, mean, epsilon)
    for (let i = 0; i < size; i++) y[at + i] = (x[at + i]! - mean) * rstd * scale[i]! + shift[i]!
    if (means !== undefined) means[n] = mean
    if (rstds !== undefined) rstds[n] = rstd
  }
  return [normed, ...statistics]
}

const norm =
  (kind: Kind): Body =>
  (device, call) =>
    normalize(device, call, kind, input(call, 0), input(call, 1), optional(call, 2), 1)

const addNorm =
  (kind: Kind): Body =>
  (device, call) => {
    const [x, residual] = [input(call, 0), input(call, 1)]
    const total = device.allocate(x.shape, 'f32')
    const [a, b, sum] = [device.floats(x), device.floats(residual), device.floats(total)]
    for (let i = 0; i < sum.length; i++) sum[i] = a[i]! + b[i]!
    return [total, ...normalize(device, call, kind, total, input(call, 2), optional(call, 3), 2)]
  }

interface Backward {
  readonly x: Value
  readonly weight: Value
  readonly mean: Value | undefined
  readonly rstd: Value
  readonly gradient: Value
  /** A gradient that reaches x past the norm. */
  readonly direct: Value | undefined
}

const pullBack = (device: Device, call: Call, { x: from, weight, mean, rstd, gradient, direct }: Backward): Value[] => {
  const size = weight.data.size
  const needs = numbers(call, 'needs')
  const outputs = call.outputs.map(({ shape }) => device.allocate(shape, 'f32'))
  let next = 0
  const taken = (slot: number): Float32Array | undefined => (needs[slot] === 1 ? device.floats(outputs[next++]!) : undefined)
  const [ofX, ofWeight, ofBias] = [taken(0), taken(1), taken(2)]
  const [x, g, rstds, means, past] = [device.floats(from), device.floats(gradient), device.floats(rstd), mean && device.floats(mean), direct && device.floats(direct)]
  const scale = parameterRow(device, weight, size, offsetOf(call))
  const [weightSums, biasSums] = [new Float64Array(size), new Float64Array(size)]
  const normal = new Float64Array(size)
  for (let at = 0, n = 0; at < x.length; at += size, n++) {
    const center = means === undefined ? 0 : means[n]!
    const r = rstds[n]!
    let alongMean = 0
    let alongNormal = 0
    for (let i = 0; i < size; i++) {
      const h = (x[at + i]! - center) * r
      const gradientHere = g[at + i]!
      const weighted = gradientHere * scale[i]!
      normal[i] = h
      alongMean += weighted
      alongNormal += weighted * h
      weightSums[i]! += gradientHere * h
      biasSums[i]! += gradientHere
    }
    if (ofX === undefined) continue
    alongMean = means === undefined ? 0 : alongMean / size
    alongNormal /= size
    for (let i = 0; i < size; i++) ofX[at + i] = r * (g[at + i]! * scale[i]! - alongMean - normal[i]! * alongNormal)
    if (past !== undefined) for (let i = at; i < at + size; i++) ofX[i] = ofX[i]! + past[i]!
  }
  ofWeight?.set(weightSums)
  ofBias?.set(biasSums)
  return outputs
}

/** x, weight, mean, rstd, gradient; without the mean for RMSNorm. */
const normBackward =
  (kind: Kind): Body =>
  (device, call) => {
    const shift = kind === 'layer' ? 1 : 0
    return pullBack(device, call, {
      x: input(call, 0),
      weight: input(call, 1),
      mean: kind === 'layer' ? input(call, 2) : undefined,
      rstd: input(call, 2 + shift),
      gradient: input(call, 3 + shift),
      direct: undefined,
    })
  }

/** weight, sum, mean, rstd, sumGradient?, normedGradient; without the mean for RMSNorm. */
const addNormBackward =
  (kind: Kind): Body =>
  (device, call) => {
    const shift = kind === 'layer' ? 1 : 0
    return pullBack(device, call, {
      x: input(call, 1),
      weight: input(call, 0),
      mean: kind === 'layer' ? input(call, 2) : undefined,
      rstd: input(call, 2 + shift),
      gradient: input(call, 4 + shift),
      direct: optional(call, 3 + shift),
    })
  }

export const normKernels: Readonly<Record<string, Body>> = {
  layerNorm: norm('layer'),
  rmsNorm: norm('rms'),
  addLayerNorm: addNorm('layer'),
  addRmsNorm: addNorm('rms'),
  layerNormBackward: normBackward('layer'),
  rmsNormBackward: normBackward('rms'),
  addLayerNormBackward: addNormBackward('layer'),
  addRmsNormBackward: addNormBackward('rms'),
}
