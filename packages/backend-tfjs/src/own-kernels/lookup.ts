// gather and scatterAdd over visible memory. An index out of range reads zeros and writes nothing.
import { sizeOf } from '../device.ts'
import { input, output, type Body } from '../kernel.ts'
import { filled } from './elementwise.ts'

export const gather: Body = (device, call) => {
  const [x, indices] = [input(call, 0), input(call, 1)]
  const axis = call.attrs['axis'] as number
  const size = x.shape[axis]!
  const [outer, inner] = [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis + 1))]
  const out = filled(device, output(call).shape, 0, x.dtype)
  const [from, at, to] = [device.view(x), device.integers(indices), device.view(out)]
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < at.length; k++) {
      const index = at[k]!
      if (index < 0 || index >= size) continue
      const source = (o * size + index) * inner
      const target = (o * at.length + k) * inner
      if (inner > 32) to.set(from.subarray(source, source + inner), target)
      else for (let i = 0; i < inner; i++) to[target + i] = from[source + i]!
    }
  }
  return out
}

export const scatterAdd: Body = (device, call) => {
  const [indices, updates] = [input(call, 0), input(call, 1)]
  const size = call.attrs['size'] as number
  const inner = sizeOf(updates.shape.slice(1))
  const out = filled(device, output(call).shape, 0, updates.dtype)
  const [at, from, to] = [device.integers(indices), device.view(updates), device.view(out)]
  for (let n = 0; n < at.length; n++) {
    const index = at[n]!
    if (index < 0 || index >= size) continue
    const source = n * inner
    const target = index * inner
    for (let i = 0; i < inner; i++) to[target + i]! += from[source + i]!
  }
  return out
}
