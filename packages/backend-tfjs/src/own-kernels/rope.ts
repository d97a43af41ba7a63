// rope and qkvRope in one pass each, where the decomposition slices, multiplies and joins a dozen times. Dimension i is paired with
// i + R/2. B batch, T sequence, Dh head size, R ≤ Dh rotated dimensions.
import type { Device, Value } from '../device.ts'
import { input, optional, type Body, type Call } from '../kernel.ts'

/** cos and sin, times scale, of the positions of each row: [rows · R/2], one row or one a (batch, position). */
interface Rotation {
  readonly cosine: Float64Array
  readonly sine: Float64Array
  readonly half: number
  /** Tokens after which the table begins again: T where all rows share it. */
  readonly period: number
}

const rotationOf = (device: Device, call: Call, frequencies: Value, positions: Value | undefined, length: number, direction: 1 | -1): Rotation => {
  const inverse = device.floats(frequencies)
  const half = inverse.length
  const rows = positions === undefined ? Float64Array.from({ length }, (_, t) => t + (call.attrs['offset'] as number)) : device.integers(positions)
  const scale = call.attrs['scale'] as number
  const [cosine, sine] = [new Float64Array(rows.length * half), new Float64Array(rows.length * half)]
  for (let t = 0; t < rows.length; t++) {
    for (let i = 0; i < half; i++) {
      const angle = rows[t]! * inverse[i]!
      cosine[t * half + i] = Math.cos(angle) * scale
      sine[t * half + i] = Math.sin(angle) * scale * direction
    }
  }
  return { cosine, sine, half, period: rows.length }
}

/** Some heads of each token: where the first begins, how far tokens lie apart, how many heads. */
interface Heads {
  readonly values: Float32Array
  readonly first: number
  readonly stride: number
}

const turn = (from: Heads, to: Heads, tokens: number, count: number, size: number, rotation: Rotation): void => {
  const { cosine, sine, half, period } = rotation
  const x = from.values
  const y = to.values
  for (let token = 0; token < tokens; token++) {
    const angles = (token % period) * half
    for (let head = 0; head < count; head++) {
      const a = token * from.stride + from.first + head * size
      const b = token * to.stride + to.first + head * size
      for (let i = 0; i < half; i++) {
        const low = x[a + i]!
        const high = x[a + half + i]!
        const c = cosine[angles + i]!
        const s = sine[angles + i]!
        y[b + i] = low * c - high * s
        y[b + half + i] = high * c + low * s
      }
      for (let i = 2 * half; i < size; i++) y[b + i] = x[a + i]!
    }
  }
}

const copyHeads = (from: Heads, to: Heads, tokens: number, width: number): void => {
  for (let token = 0; token < tokens; token++) {
    const start = token * from.stride + from.first
    to.values.set(from.values.subarray(start, start + width), token * to.stride + to.first)
  }
}

const turnAll = (device: Device, call: Call, x: Value, frequencies: Value, positions: Value | undefined, direction: 1 | -1): Value => {
  const [batch, length, count, size] = x.shape as [number, number, number, number]
  const out = device.allocate(x.shape, 'f32')
  const rotation = rotationOf(device, call, frequencies, positions, length, direction)
  const stride = count * size
  turn({ values: device.floats(x), first: 0, stride }, { values: device.floats(out), first: 0, stride }, batch * length, count, size, rotation)
  return out
}

const rope: Body = (device, call) => turnAll(device, call, input(call, 0), input(call, 1), optional(call, 2), 1)
const ropeBackward: Body = (device, call) => turnAll(device, call, input(call, 2), input(call, 0), optional(call, 1), -1)

/** qkv [B, T, (H + 2 K) · Dh] → q, k turned, v as it is. */
const qkvRope: Body = (device, call) => {
  const qkv = input(call, 0)
  const [q, k, v] = call.outputs.map(({ shape }) => device.allocate(shape, 'f32')) as [Value, Value, Value]
  const [batch, length, queryHeads, size] = q.shape as [number, number, number, number]
  const keyHeads = k.shape[2]!
  const rotation = rotationOf(device, call, input(call, 1), optional(call, 2), length, 1)
  const [tokens, stride, values] = [batch * length, qkv.shape[2]!, device.floats(qkv)]
  const from = (head: number): Heads => ({ values, first: head * size, stride })
  const own = (x: Value): Heads => ({ values: device.floats(x), first: 0, stride: x.shape[2]! * size })
  turn(from(0), own(q), tokens, queryHeads, size, rotation)
  turn(from(queryHeads), own(k), tokens, keyHeads, size, rotation)
  copyHeads(from(queryHeads + keyHeads), own(v), tokens, keyHeads * size)
  return [q, k, v]
}

/** frequencies, positions?, gradients of q, k, v → gradient of qkv. */
const qkvRopeBackward: Body = (device, call) => {
  const [q, k, v] = [input(call, 2), input(call, 3), input(call, 4)]
  const [batch, length, queryHeads, size] = q.shape as [number, number, number, number]
  const keyHeads = k.shape[2]!
  const out = device.allocate(call.outputs[0]!.shape, 'f32')
  const rotation = rotationOf(device, call, input(call, 0), optional(call, 1), length, -1)
  const [tokens, stride, values] = [batch * length, (queryHeads + 2 * keyHeads) * size, device.floats(out)]
  const to = (head: number): Heads => ({ values, first: head * size, stride })
  const own = (x: Value): Heads => ({ values: device.floats(x), first: 0, stride: x.shape[2]! * size })
  turn(own(q), to(0), tokens, queryHeads, size, rotation)
  turn(own(k), to(queryHeads), tokens, keyHeads, size, rotation)
  copyHeads(own(v), to(queryHeads + keyHeads), tokens, keyHeads * size)
  return out
}

export const ropeKernels: Readonly<Record<string, Body>> = { rope, ropeBackward, qkvRope, qkvRopeBackward }
