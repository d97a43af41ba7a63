// matMul by the kernel of tfjs alone.
import type { Shape } from '@weft/tensor'
import { reshaped, sizeOf, type Device, type Value } from '../device.ts'
import { input, output, type Body } from '../kernel.ts'
import { filled } from './elementwise.ts'
import { broadcastByTile } from './movement.ts'

export const matMul: Body = (device, call) => {
  const [a, b] = [input(call, 0), input(call, 1)]
  const { shape, dtype } = output(call)
  if (a.data.size === 0 || b.data.size === 0) return filled(device, shape, 0, dtype)
  const batch = shape.slice(0, -2)
  return device.run('BatchMatMul', { a: asBatch(device, a, batch), b: asBatch(device, b, batch) }, { transposeA: call.attrs['transposeA'] === true, transposeB: call.attrs['transposeB'] === true })
}

/** [batch, rows, columns]: kernels repeat a batch of 1, but mix up batches of several axes that broadcast against each other. */
const asBatch = (device: Device, x: Value, batch: Shape): Value => {
  const matrix = x.shape.slice(-2)
  const own = sizeOf(x.shape.slice(0, -2))
  if (own === 1 || own === sizeOf(batch)) return reshaped(x, [own, ...matrix])
  return reshaped(broadcastByTile(device, x, [...batch, ...matrix]), [sizeOf(batch), ...matrix])
}
