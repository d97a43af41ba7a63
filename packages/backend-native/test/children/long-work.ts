// Work that keeps the threads busy for seconds, in pieces of some thousandths of one: many products.
import { full, type Tensor } from '@weft/tensor'
import { matMul } from '@weft/tensor/ops'
import type { NativeBackend } from '../../src/index.ts'

/** Enqueues it and returns at once. @returns the last product. */
export const enqueueLongWork = (backend: NativeBackend, products: number): Tensor => {
  const x = full(backend, [768, 768], 1e-3)
  let last = matMul(x, x)
  for (let i = 1; i < products; i++) {
    const next = matMul(x, x)
    last.dispose()
    last = next
  }
  x.dispose()
  return last
}
