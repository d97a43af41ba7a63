import { isWeftError } from '@weft/contracts'
import { afterEach, expect, test } from 'vitest'
import type { Backend, KernelCall, Operand } from './backend.ts'
import { createCpuBackend, type CpuBuffer } from './cpu.ts'
import { defineOp, disposeAll, DonatedTensorError, DTypeError, exec, execOne, grad, memory, read, ShapeError, tensor, withDecomposition, type Tensor } from './index.ts'
import { add, cast, concat, exp, matMul, mul, reshape, slice, sum } from './primitives.ts'

const calls: string[] = []
let donatedFlags: unknown
const cpu = createCpuBackend()
/** The reference backend with kernels of its own for two operations: one in place, one for vectors only. */
const backend: Backend<CpuBuffer> = {
  ...cpu,
  kernels: {
    ...cpu.kernels,
    testAddInto: ({ inputs, donated, outputs }: KernelCall<CpuBuffer>) => {
      calls.push('testAddInto')
      donatedFlags = donated
      const [into, x] = inputs as readonly [Operand<CpuBuffer>, Operand<CpuBuffer>]
      if (donated[0] !== true) return cpu.kernels.binary({ inputs, donated, attrs: { op: 'add' }, outputs })
      into.data.values!.forEach((value, i) => (into.data.values![i] = value + x.data.values![i]!))
      return [into.data]
    },
    testSquare: ({ inputs: [x], outputs, donated }) => {
      calls.push('testSquare')
      const [square] = cpu.kernels.binary({ inputs: [x, x], donated, attrs: { op: 'mul' }, outputs: outputs.slice(0, 1) })
      return outputs.length === 1 ? [square!] : [square!, ...cpu.kernels.unary({ inputs: [x], donated, attrs: { op: 'neg' }, outputs: outputs.slice(1) })]
    },
  },
  supports: (op, [x]) => op !== 'testSquare' || (x as { shape: readonly number[] }).shape.length === 1,
}
afterEach(() => {
  calls.length = 0
  expect(memory(backend).buffers).toBe(0)
})

const addInto = defineOp({ name: 'testAddInto', inputs: ['into', 'x'], infer: ([into]) => [into as Tensor], decompose: ({ inputs: [into, x] }) => [add(into as Tensor, x as Tensor)], donates: ['into'] })

let recordings: number[] = []
const square = defineOp({
  name: 'testSquare',
  inputs: ['x'],
  recordOutputs: ['negative'],
  infer: ([x], _, recording) => (recording ? [x as Tensor, x as Tensor] : [x as Tensor]),
  decompose: ({ inputs: [x], outputs }) => {
    recordings.push(outputs.length)
    const y = mul(x as Tensor, x as Tensor)
    return outputs.length === 1 ? [y] : [y, mul(x as Tensor, tensor(backend, [-1], []))]
  },
  saves: { outputs: ['negative'] },
  vjp: ({ saved: { negative }, gradients: [g] }) => [mul(g!, mul(negative, tensor(backend, [-2], [])))],
})

const values = async (x: Tensor) => {
  const list = Array.from(await read(x))
  x.dispose()
  return list
}

test('a kernel runs where the backend has one that supports the call, else the decomposition; withDecomposition forces the latter', async () => {
  recordings = []
  using vector = tensor(backend, [1, 2], [2])
  using matrix = tensor(backend, [1, 2], [1, 2])
  expect(await values(execOne(square, [vector]))).toEqual([1, 4])
  expect(calls).toEqual(['testSquare'])
  expect(await values(execOne(square, [matrix]))).toEqual([1, 4])
  expect(await values(withDecomposition(() => execOne(square, [vector])))).toEqual([1, 4])
  expect(calls).toEqual(['testSquare'])
  expect(recordings).toEqual([1, 1])
})

test('recordOutputs are asked for only while recording, and stay inside', async () => {
  for (const shape of [[2], [1, 2]]) {
    using x = tensor(backend, [1, 3], shape)
    const [gradient] = grad(() => {
      const outputs = exec(square, [x])
      expect(outputs.length).toBe(1)
      return sum(outputs[0]!)
    }, [x])
    expect(await values(gradient!)).toEqual([2, 6])
  }
})

test('a donated buffer is reused in place when nobody else holds it', async () => {
  const into = tensor(backend, [1, 2], [2])
  using x = tensor(backend, [10, 20], [2])
  const { peakBytes } = memory(backend)
  const out = execOne(addInto, [into, x])
  expect(donatedFlags).toEqual([true, false])
  expect(memory(backend)).toMatchObject({ buffers: 2, peakBytes, missedDonations: 0 })
  expect(() => add(into, into)).toThrow(DonatedTensorError)
  into.dispose()
  expect(await values(out)).toEqual([11, 22])
})

test('a donated buffer that a reshape holds is copied, and the copy is counted', async () => {
  const into = tensor(backend, [1, 2], [2])
  const view = reshape(into, [1, 2])
  using x = tensor(backend, [10, 20], [2])
  const { missedDonations } = memory(backend)
  const out = execOne(addInto, [into, x])
  expect(donatedFlags).toEqual([false, false])
  expect(memory(backend).missedDonations).toBe(missedDonations + 1)
  expect(into.isDisposed).toBe(true)
  expect(await values(view)).toEqual([1, 2])
  expect(await values(out)).toEqual([11, 22])
})

test('a decomposed consuming operation ends its inputs too', async () => {
  const into = tensor(backend, [1, 2], [2])
  using x = tensor(backend, [10, 20], [2])
  const out = withDecomposition(() => execOne(addInto, [into, x]))
  expect(() => into.operand('test')).toThrow(DonatedTensorError)
  expect(await values(out)).toEqual([11, 22])
})

test('one tensor cannot be consumed and read at once, nor recorded', async () => {
  const into = tensor(backend, [1, 2], [2])
  expect(() => execOne(addInto, [into, into])).toThrow(/"into" is consumed, but the same tensor is passed a second time/)
  expect(() => grad(() => sum(execOne(addInto, [into, tensor(backend, [1, 1], [2])])), [into])).toThrow(/cannot be recorded/)
  expect(await values(into)).toEqual([1, 2])
})

test('outputs are handles of their own even where a decomposition hands its input through', async () => {
  const twice = defineOp({ name: 'testTwice', inputs: ['x'], outputs: ['a', 'b', 'c'], infer: ([x]) => [x, x, x] as Tensor[], decompose: ({ inputs: [x] }) => { const y = exp(x as Tensor); return [x as Tensor, y, y] } })
  const x = tensor(backend, [0], [1])
  const [a, b, c] = exec(twice, [x]) as [Tensor, Tensor, Tensor]
  x.dispose()
  b.dispose()
  expect(await values(a)).toEqual([0])
  expect(await values(c)).toEqual([1])
})

test('a decomposition that breaks what infer promised is caught', () => {
  const wrong = defineOp({ name: 'testWrong', inputs: ['x'], infer: ([x]) => [x as Tensor], decompose: ({ inputs: [x] }) => [reshape(x as Tensor, [1, 2])] })
  using x = tensor(backend, [1, 2], [2])
  expect(() => execOne(wrong, [x])).toThrow(/testWrong: its decomposition gave f32 \[1, 2\] where infer promised f32 \[2\]/)
})

test('slots are checked: too many, missing, a tensor where a list belongs', () => {
  using x = tensor(backend, [1, 2], [2])
  expect(() => exec(addInto, [x, x, x])).toThrow(/expected 2 inputs, got 3/)
  expect(() => exec(addInto, [x])).toThrow(/input "x" must be a tensor, got nothing/)
  expect(() => concat(x as never, 0)).toThrow(ShapeError)
})

test('shapes and dtypes are refused before the backend is called, with both sides named', () => {
  using x = tensor(backend, [1, 2], [2])
  using y = tensor(backend, [1, 2, 3], [3])
  using ids = tensor(backend, Int32Array.of(1, 2), [2])
  expect(() => add(x, y)).toThrow(/add: shapes \[2\] and \[3\] do not broadcast/)
  expect(() => add(x, ids)).toThrow(/add: inputs have dtypes f32 and i32; cast\(x, 'f32'\)/)
  expect(() => exp(ids)).toThrow(DTypeError)
  expect(() => matMul(x, y)).toThrow(/rank ≥ 2/)
  expect(() => slice(x, [1], [2])).toThrow(/do not lie in \[2\]/)
  expect(() => slice(x, [0.5], [1])).toThrow(/sizes are integers/)
})

test('a dtype that the backend lacks is refused by name', () => {
  const small: Backend<CpuBuffer> = { ...cpu, name: 'small', traits: { ...cpu.traits, dtypes: new Set(['f32', 'i32', 'u8']) } }
  using x = tensor(small, [1], [1])
  expect(() => cast(x, 'bf16')).toThrow(/cast: backend small has no bf16; it has f32, i32, u8/)
  expect(() => tensor(small, [1], [1], { dtype: 'f64' })).toThrow(DTypeError)
})

test('tensors of two backends do not meet', () => {
  const other = createCpuBackend()
  using x = tensor(backend, [1], [1])
  using y = tensor(other, [1], [1])
  try {
    add(x, y)
    expect.unreachable()
  } catch (error) {
    expect(isWeftError(error, 'backend')).toBe(true)
  }
})

test('values from the host are computed there only where the backend has no kernel for them', async () => {
  let computed = 0
  const host = (): Float32Array => Float32Array.of(++computed, 0)
  const count = (name: string) => defineOp({ name, inputs: [], infer: () => [{ shape: [2], dtype: 'f32' }], host })
  const own: Backend<CpuBuffer> = { ...backend, kernels: { ...cpu.kernels, testCount: ({ outputs }) => [cpu.upload(Float32Array.of(7, 8), outputs[0]!.shape, 'f32')] } }
  expect(await values(execOne(count('testCount'), [], {}, own))).toEqual([7, 8])
  expect(computed).toBe(0)
  expect(await values(execOne(count('testOtherCount'), [], {}, own))).toEqual([1, 0])
  expect(await values(withDecomposition(() => execOne(count('testCount'), [], {}, own)))).toEqual([2, 0])
})

test('a tensor disposed between infer and the kernel leaves nothing behind', () => {
  const x = tensor(backend, [1], [1])
  x.dispose()
  expect(() => exec(square, [x])).toThrow(/was used after it was disposed/)
  expect(() => disposeAll(exec(addInto, [x, x]))).toThrow()
})
