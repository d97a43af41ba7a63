import { afterEach, expect, test } from 'vitest'
import { createCpuBackend } from './cpu.ts'
import { createParameter, customVjp, defineOp, disposeAll, execOne, grad, memory, noGrad, read, recompute, tensor, tidy, valueAndGrad, type Tensor } from './index.ts'
import { add, exp, gather, log, matMul, mul, reshape, sin, sum, sumTo } from './primitives.ts'
import { ambient } from './runtime.ts'

const backend = createCpuBackend()
afterEach(() => {
  expect(memory(backend).buffers).toBe(0)
  expect([ambient.scope, ambient.recorder]).toEqual([undefined, undefined])
})

const f64 = (values: number[], shape = [values.length]) => tensor(backend, values, shape, { dtype: 'f64' })
const values = async (x: Tensor) => {
  const list = Array.from(await read(x))
  x.dispose()
  return list
}

test('a tensor used twice gets both gradients', async () => {
  using x = f64([1, 2])
  const [gradient] = grad(() => sum(mul(x, add(x, exp(x)))), [x])
  const expected = [1, 2].map((at) => 2 * at + Math.exp(at) + at * Math.exp(at))
  ;(await values(gradient!)).forEach((got, i) => expect(got).toBeCloseTo(expected[i]!, 12))
})

test('what the loss does not depend on gets zeros', async () => {
  using x = f64([1, 2])
  using y = f64([3])
  const gradients = grad(() => sum(exp(x)), [y])
  expect(await values(gradients[0]!)).toEqual([0])
})

test('a loss that is a root, and a loss of no root', async () => {
  using x = f64([3], [])
  const { result, gradients } = valueAndGrad(() => ({ value: x }), [createParameter({ name: 'x', value: x, role: 'matrix' })])
  expect(result.value).toBe(x)
  expect(await values(gradients[0]!)).toEqual([1])
  const [none] = grad(() => tidy(() => sum(f64([1, 2]))), [x])
  expect(await values(none!)).toEqual([0])
})

test('valueAndGrad returns the rest of the loss’s result and frees everything else', async () => {
  using x = f64([1, 2])
  const { result, gradients } = valueAndGrad(() => {
    const y = exp(x)
    const value = sum(mul(y, y))
    return { value, y, note: 'kept' }
  }, [createParameter({ name: 'x', value: x, role: 'matrix' })])
  expect(result.note).toBe('kept')
  expect(memory(backend).buffers).toBe(4)
  expect((await values(result.y))[1]).toBeCloseTo(Math.exp(2), 12)
  disposeAll([result.value, gradients])
})

test('a loss must be a synchronous scalar', () => {
  using x = f64([1, 2])
  expect(() => grad(() => exp(x), [x])).toThrow(/must be a scalar, got \[2\]/)
  expect(() => grad((async () => exp(x)) as never, [x])).toThrow(/returned a promise/)
})

test('what is saved is freed after its last use, and only what saves names is saved', () => {
  using x = f64([1, 2])
  let duringForward = 0
  const gradients = grad(() => {
    const y = tidy(() => add(add(x, x), x)) // sums save nothing
    const z = tidy(() => exp(exp(y))) // both outputs are saved, their handles are gone
    duringForward = memory(backend).buffers
    return sum(z)
  }, [x])
  expect(duringForward).toBe(1 + 1 + 2) // x, y (saved as input of the first exp), two exponentials
  disposeAll(gradients)
})

test('noGrad hides operations from the tape', async () => {
  using x = f64([2])
  const [gradient] = grad(() => reshape(mul(x, noGrad(() => exp(x))), []), [x])
  expect((await values(gradient!))[0]).toBeCloseTo(Math.exp(2), 12)
})

test('an operation without a vjp is differentiated through its decomposition', async () => {
  const square = defineOp({ name: 'testSquare', inputs: ['x', 'w?'], infer: ([x]) => [x as Tensor], decompose: ({ inputs: [x, w] }) => [w === undefined ? mul(x as Tensor, x as Tensor) : mul(x as Tensor, w as Tensor)] })
  using x = f64([3])
  using w = f64([5])
  const [gx, gw] = grad(() => reshape(add(execOne(square, [x]), execOne(square, [x, w])), []), [x, w])
  expect(await values(gx!)).toEqual([11])
  expect(await values(gw!)).toEqual([3])
})

test('recompute gives the same gradients, also to parameters that its function closes over, and holds less', async () => {
  using x = f64([0.1, 0.2, 0.3, 0.4], [2, 2])
  using w = f64([1, -1, 2, 0.5], [2, 2])
  const layer = (y: Tensor) => sin(exp(sin(matMul(y, w))))
  const held: number[] = []
  const run = (deep: (y: Tensor) => Tensor) =>
    grad(() => {
      const y = tidy(() => deep(deep(x)))
      held.push(memory(backend).buffers)
      return sum(y)
    }, [x, w])
  const plain = run(layer)
  const again = run((y) => recompute(([z]) => [layer(z!)], [y])[0]!)
  for (const i of [0, 1]) expect(await values(again[i]!)).toEqual(await values(plain[i]!))
  expect(held[1]!).toBeLessThan(held[0]!)
})

test('customVjp uses the rule given to it', async () => {
  using x = f64([1, 2])
  const [gradient] = grad(() => sum(customVjp({ inputs: [x], forward: ([y]) => [log(y!)], vjp: ({ gradients: [g], inputs: [y] }) => [mul(g!, y!)] })[0]!), [x])
  expect(await values(gradient!)).toEqual([1, 2])
})

test('indices and other integers have no gradient', async () => {
  using table = f64([1, 2, 3, 4], [2, 2])
  using ids = tensor(backend, Int32Array.of(1, 1, 0), [3])
  const [gradient] = grad(() => sum(gather(table, ids)), [table])
  expect(await values(gradient!)).toEqual([1, 1, 2, 2])
})

test('sumTo undoes broadcasting', async () => {
  using x = f64([1, 2, 3, 4, 5, 6], [2, 3])
  expect(await values(sumTo(x, [3]))).toEqual([5, 7, 9])
  expect(await values(sumTo(x, [2, 1]))).toEqual([6, 15])
  expect(await values(sumTo(x, []))).toEqual([21])
})

test('gradients of two parameters do not share a buffer that one of them could donate', () => {
  using a = f64([1])
  using b = f64([2])
  const gradients = grad(() => sum(add(a, b)), [a, b])
  expect(gradients.map((x) => x.storage('test').count)).toEqual([1, 1])
  disposeAll(gradients)
})
