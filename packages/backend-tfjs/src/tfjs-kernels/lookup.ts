// gather and scatterAdd by kernels of tfjs alone. Their kernels throw, trap or write elsewhere when an index is out of range, so every
// index is brought into range first and what it stood for is masked.
import { labelled, reshaped, sizeOf, type Device, type Value } from '../device.ts'
import { input, output, type Body } from '../kernel.ts'
import { filled, selected } from './elementwise.ts'
import { broadcastByTile, sliced } from './movement.ts'

export const gather: Body = (device, call) => {
  const [x, indices] = [input(call, 0), input(call, 1)]
  const axis = call.attrs['axis'] as number
  const size = x.shape[axis]!
  const { shape } = output(call)
  if (x.data.size === 0) return filled(device, shape, 0, x.dtype)
  const [outer, inner, count] = [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis + 1)), indices.data.size]
  const flat = reshaped(indices, [count])
  const inRange = isInRange(device, flat, size)
  const safe = selected(device, inRange, flat, broadcastByTile(device, filled(device, [], 0, 'i32'), [count]))
  const rows = labelled(device.run('GatherV2', { x: reshaped(x, [outer, size, inner]), indices: safe }, { axis: 1, batchDims: 0 }), x.dtype)
  const wideShape = [outer, count, inner]
  const mask = device.run('Tile', { x: reshaped(device.run('Cast', { x: inRange }, { dtype: 'int32' }), [1, count, 1]) }, { reps: [outer, 1, inner] })
  const wide = device.run('Cast', { x: mask }, { dtype: 'bool' })
  return selected(device, wide, reshaped(rows, wideShape), filled(device, wideShape, 0, x.dtype))
}

export const scatterAdd: Body = (device, call) => {
  const [indices, updates] = [input(call, 0), input(call, 1)]
  const size = call.attrs['size'] as number
  const { shape } = output(call)
  if (updates.data.size === 0) return filled(device, shape, 0, updates.dtype)
  const count = indices.data.size
  const inner = updates.data.size / count
  // What is out of range lands in one more row, which is cut off.
  const safe = selected(device, isInRange(device, indices, size), indices, filled(device, [count], size, 'i32'))
  const sums = device.run('ScatterNd', { indices: reshaped(safe, [count, 1]), updates: reshaped(updates, [count, inner]) }, { shape: [size + 1, inner] })
  return sliced(device, labelled(sums, updates.dtype), [0, 0], [size, inner])
}

const isInRange = (device: Device, indices: Value, size: number): Value => {
  const low = device.run('GreaterEqual', { a: indices, b: filled(device, [], 0, 'i32') })
  const high = device.run('Less', { a: indices, b: filled(device, [], size, 'i32') })
  return device.run('LogicalAnd', { a: low, b: high })
}
