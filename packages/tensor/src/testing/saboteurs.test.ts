// A kit that cannot fail proves nothing: backends that are wrong in one place each, and the group that must notice.
import { isWeftError } from '@weft/contracts'
import { expect, test } from 'vitest'
import type { Backend, Kernel, KernelCall, Operand } from '../backend.ts'
import { createCpuBackend, type CpuBuffer } from '../cpu.ts'
import { viewStored } from '../dtype.ts'
import { defineOp } from '../op-definition.ts'
import { add, exp, mul } from '../primitives.ts'
import type { Tensor } from '../tensor.ts'
import { backendMatrix } from './backend-matrix.ts'
import { conformanceCases } from './conformance.ts'
import { describeBackend } from './describe-backend.ts'
import type { OpCase } from './op-case.ts'

type Toy = Backend<CpuBuffer>
type Change = (cpu: Toy) => Partial<Toy>

const swap = (name: string, make: (honest: Kernel<CpuBuffer>) => Kernel<CpuBuffer>): Change => (cpu) => ({ kernels: { ...cpu.kernels, [name]: make(cpu.kernels[name]!) } })

const changed = (handles: readonly CpuBuffer[], change: (values: ArrayLike<number> & { [i: number]: number }) => void): readonly CpuBuffer[] => {
  for (const { values } of handles) change(values!)
  return handles
}

const square = defineOp({ name: 'testSquare', inputs: ['x'], infer: ([x]) => [x as Tensor], decompose: ({ inputs: [x] }) => [mul(x as Tensor, x as Tensor)], saves: { inputs: ['x'] }, vjp: ({ saved: { x }, gradients: [g] }) => [mul(g!, add(x, x))] })
const wrongRule = defineOp({ name: 'testWrongRule', inputs: ['x'], infer: ([x]) => [x as Tensor], decompose: ({ inputs: [x] }) => [exp(x as Tensor)], saves: { inputs: ['x'] }, vjp: ({ saved: { x }, gradients: [g] }) => [mul(g!, x)] })
const consume = defineOp({ name: 'testConsume', inputs: ['x'], infer: ([x]) => [x as Tensor], decompose: ({ inputs: [x] }) => [add(x as Tensor, x as Tensor)], donates: ['x'] })
const cases: OpCase[] = [square, wrongRule, consume].map((op) => ({ op, name: 'sample', make: (s) => ({ inputs: [s.normal([2, 3])], attrs: {} }) }))

const double = (cpu: Toy, { inputs: [x], donated, outputs }: KernelCall<CpuBuffer>) => cpu.kernels.binary({ inputs: [x, x], donated, attrs: { op: 'add' }, outputs })

let turn = 0
const saboteurs: readonly (readonly [what: string, notices: RegExp, Change])[] = [
  ['transposeB is ignored for square b', /^values\/matMul/, swap('matMul', (honest) => (call) => honest({ ...call, attrs: { ...call.attrs, transposeB: (call.inputs[1] as Operand<CpuBuffer>).shape.at(-1) !== 4 && call.attrs['transposeB'] === true } }))],
  ['the last of many elements is lost', /^values\/unary\/.*large/, swap('unary', (honest) => (call) => changed(honest(call), (values) => { if (values.length > 65_535) values[values.length - 1] = 0 }))],
  ['NaN loses in a maximum', /^values\/reduce\/max, NaN/, swap('reduce', (honest) => (call) => changed(honest(call), (values) => { for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) values[i] = 0 }))],
  ['a gradient is off by a thousandth', /^gradients\/unary\/exp$/, swap('binary', (honest) => (call) => changed(honest(call), (values) => { if (call.attrs['op'] === 'mul') for (let i = 0; i < values.length; i++) values[i]! *= 1.001 }))],
  ['a kernel differs from its decomposition', /^kernels\/testSquare/, (cpu) => ({ kernels: { ...cpu.kernels, testSquare: (call) => double(cpu, call) } })],
  ['free frees nothing', /^leaks\//, () => ({ free: () => undefined })],
  ['upload keeps the caller’s array', /^rules\/rule 2: upload has copied/, (cpu) => ({
    upload: (bits, shape, dtype) => {
      const handle = cpu.upload(bits, shape, dtype)
      handle.values = viewStored(bits, dtype)
      return handle
    },
  })],
  ['read hands out its own memory', /^rules\/rule 2: what read returned/, () => ({ read: async (x) => x.data.values! })],
  ['read looks later', /^rules\/rule 1: a read survives/, (cpu) => ({ read: async (x) => { await Promise.resolve(); return cpu.read(x) } })],
  ['dispose does nothing', /^rules\/rule 6/, () => ({ dispose: async () => undefined })],
  ['a donated buffer is overwritten though others hold it', /^rules\/testConsume/, (cpu) => ({
    kernels: {
      ...cpu.kernels,
      testConsume: (call) => {
        const { values } = (call.inputs[0] as Operand<CpuBuffer>).data
        const out = double(cpu, call)
        values!.fill(0)
        return out
      },
    },
  })],
  ['two runs differ in the last bit', /^determinism\/matMul\/matrices$/, swap('matMul', (honest) => (call) => changed(honest(call), (values) => { if (values.length > 0 && turn++ % 2 === 0) values[0] = values[0]! * (1 + 2 ** -22) }))],
  ['a single row takes another path', /^determinism\/matMul\/.*first row alone/, swap('matMul', (honest) => (call) => changed(honest(call), (values) => { if (call.outputs[0]!.shape[0] === 1 && values.length > 0) values[0] = values[0]! * (1 + 2 ** -22) }))],
  ['a dtype is written over', /^values\/cast/, swap('cast', (honest) => (call) => changed(honest(call), (values) => { if (call.attrs['to'] === 'i32') for (let i = 0; i < values.length; i++) values[i]! += 1 }))],
]

const failures = async (group: RegExp, change: Change): Promise<string[]> => {
  const create = () => {
    const cpu = createCpuBackend()
    return { ...cpu, ...change(cpu) } as Backend
  }
  const failed: string[] = []
  for (const one of conformanceCases({ cases }).filter(({ name }) => group.test(name))) {
    await one.run(create).catch((error: unknown) => {
      failed.push(one.name)
      expect(error).toBeInstanceOf(Error)
    })
  }
  return failed
}

test.each(saboteurs)('%s', async (_, notices, change) => {
  expect(await failures(notices, change)).not.toEqual([])
  expect(await failures(notices, () => ({}))).toEqual([])
})

test('a wrong gradient rule is noticed on any backend', async () => {
  expect(await failures(/^gradients\/testWrongRule/, () => ({}))).not.toEqual([])
})

test('a skip must name a case that exists, and is handed to the runner with its reason', () => {
  const names: string[] = []
  const run = (name: string) => void names.push(name)
  const runner = { describe: (_: string, body: () => void) => body(), it: Object.assign(run, { skip: (name: string) => run(`skipped ${name}`) }) }
  describeBackend(runner, 'x', createCpuBackend, { skip: [{ test: /^values\/unary\/erf/, reason: 'no erf' }] })
  expect(names.filter((name) => name.startsWith('skipped'))).toContain('skipped values/unary/erf, empty (no erf)')
  expect(new Set(names).size).toBe(names.length)
  try {
    describeBackend(runner, 'x', createCpuBackend, { skip: [{ test: 'values/unary/nothing', reason: '' }] })
    expect.unreachable()
  } catch (error) {
    expect(isWeftError(error, 'conformance')).toBe(true)
  }
})

test('the matrix says how each operation runs', async () => {
  const create = () => {
    const cpu = createCpuBackend()
    const kernels = { ...cpu.kernels, testSquare: (call: KernelCall<CpuBuffer>) => double(cpu, call) } as Record<string, unknown>
    delete kernels['scatterAdd']
    return { ...cpu, kernels } as unknown as Backend
  }
  const rows = new Map((await backendMatrix(create, { cases, skip: [{ test: 'values/matMul/a row', reason: 'slow' }] })).map((row) => [row.op, row]))
  expect(['matMul', 'scatterAdd', 'testSquare', 'testConsume'].map((op) => rows.get(op)?.via)).toEqual(['primitive', 'missing', 'kernel', 'decomposed'])
  expect(rows.get('matMul')?.skipped).toEqual([{ test: 'values/matMul/a row', reason: 'slow' }])
})
