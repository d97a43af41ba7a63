// matMul by the kernel of tfjs alone.
import type { Shape } from '@weft/tensor'
import { reshaped, sizeOf, type Device, type Value } from '../device.ts'
import { input, output, type Body } from '../kernel.ts'
import { copied, filled } from './elementwise.ts'
import { broadcastByTile } from './movement.ts'

export const matMul: Body = (device, call) => {
  const [a, b] = [input(call, 0), input(call, 1)]
  const { shape, dtype } = output(call)
  if (a.data.size === 0 || b.data.size === 0) return filled(device, shape, 0, dtype)
  const batch = shape.slice(0, -2)
  return multiplied(device, asBatch(device, a, batch), asBatch(device, b, batch), { transposeA: call.attrs['transposeA'] === true, transposeB: call.attrs['transposeB'] === true })
}

/**
 * [batch, M, K] × [batch, K, N]. On wasm XNNPACK packs b at its first use and keeps that by data id: the same buffer seen as another
 * matrix would meet the old packing, so it gets another id.
 */
export const multiplied = (device: Device, a: Value, b: Value, flags = { transposeA: false, transposeB: false }): Value => {
  const rows = b.shape[1]!
  if (b.data.packedRows === undefined || b.data.packedRows === rows) {
    device.notePacked(b.data, rows)
    return device.run('BatchMatMul', { a, b }, flags)
  }
  if (device.heap === undefined) return device.run('BatchMatMul', { a, b: copied(device, b) }, flags)
  const part = device.part(b, 0, b.shape)
  const out = device.run('BatchMatMul', { a, b: part }, flags)
  device.forget(part)
  return out
}

/** [batch, rows, columns]: kernels repeat a batch of 1, but mix up batches of several axes that broadcast against each other. */
const asBatch = (device: Device, x: Value, batch: Shape): Value => {
  const matrix = x.shape.slice(-2)
  const own = sizeOf(x.shape.slice(0, -2))
  if (own === 1 || own === sizeOf(batch)) return reshaped(x, [own, ...matrix])
  return reshaped(broadcastByTile(device, x, [...batch, ...matrix]), [sizeOf(batch), ...matrix])
}
