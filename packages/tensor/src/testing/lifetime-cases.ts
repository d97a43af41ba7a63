// Group 4: nothing is left behind, whatever happens. Every case ends where withoutLeak compares memory.
import { read, tensor } from '../create.ts'
import { exec, execOne } from '../exec.ts'
import { defineOp } from '../op-definition.ts'
import { add, exp, matMul, mul, reshape, sum } from '../primitives.ts'
import { customVjp, grad, recompute } from '../tape.ts'
import type { Tensor } from '../tensor.ts'
import { disposeAll, tidy } from '../tidy.ts'
import type { Backend } from '../backend.ts'
import { fail } from './run-case.ts'

const failing = defineOp({
  name: 'conformanceFailing',
  inputs: ['x'],
  infer: ([x]) => [x as { shape: readonly number[]; dtype: 'f32' }],
  decompose: ({ inputs: [x] }) => {
    exp(mul(x as Tensor, x as Tensor))
    throw new Error('half way')
  },
})

const failingBackward = defineOp({
  name: 'conformanceFailingBackward',
  inputs: ['x'],
  infer: failing.infer,
  decompose: ({ inputs: [x] }) => [exp(x as Tensor)],
  saves: { inputs: ['x'] },
  vjp: ({ saved: { x } }) => {
    mul(x, x)
    throw new Error('half way back')
  },
})

const throws = (what: string, fn: () => unknown): void => {
  let result: unknown
  try {
    result = fn()
  } catch {
    return
  }
  disposeAll(result)
  fail(`${what} did not throw`)
}

const sample = (backend: Backend): Tensor => tensor(backend, [0.1, 0.2, 0.3, 0.4], [2, 2])

/** The cases by name; each disposes what it makes, and nothing else may stay. */
export const lifetimeCases: readonly { readonly name: string; run(backend: Backend): Promise<void> }[] = [
  {
    name: 'a handle and its reshapes share one buffer, freed with the last',
    run: async (backend) => {
      const x = sample(backend)
      const y = reshape(x, [4])
      x.dispose()
      x.dispose()
      const values = await read(y)
      if (values[3] !== Math.fround(0.4)) fail(`the reshape reads ${values[3]} after its original was disposed`)
      y.dispose()
    },
  },
  {
    name: 'an operation refused by infer',
    run: async (backend) => {
      tidy(() => throws('matMul of [2, 2] and [4, 1]', () => matMul(sample(backend), reshape(sample(backend), [4, 1]))))
    },
  },
  {
    name: 'a decomposition that throws half way',
    run: async (backend) => {
      const x = sample(backend)
      throws('the decomposition', () => exec(failing, [x]))
      x.dispose()
    },
  },
  {
    name: 'a tidy that throws',
    run: async (backend) => {
      throws('tidy', () => tidy(() => {
        exp(sample(backend))
        throw new Error('stop')
      }))
    },
  },
  {
    name: 'a loss that throws',
    run: async (backend) => {
      const x = sample(backend)
      throws('grad', () => grad(() => {
        mul(exp(x), x)
        throw new Error('stop')
      }, [x]))
      x.dispose()
    },
  },
  {
    name: 'a gradient rule that throws',
    run: async (backend) => {
      const x = sample(backend)
      throws('grad', () => grad(() => sum(mul(exp(x), execOne(failingBackward, [exp(x)]))), [x]))
      x.dispose()
    },
  },
  {
    name: 'recompute and customVjp',
    run: async (backend) => {
      const x = sample(backend)
      const [gradient] = grad(() => {
        const [a] = recompute(([y]) => [exp(mul(y!, x))], [x]) as [Tensor]
        const [b] = customVjp({ inputs: [a], forward: ([y]) => [exp(y!)], vjp: ({ outputs: [y], gradients: [g] }) => [mul(g!, y!)] }) as [Tensor]
        return sum(add(a, b))
      }, [x]) as [Tensor]
      const values = await read(gradient)
      // d/dx (exp(x²) + exp(exp(x²))) = 2x exp(x²) (1 + exp(exp(x²)))
      const at = 0.2
      const expected = 2 * at * Math.exp(at * at) * (1 + Math.exp(Math.exp(at * at)))
      if (Math.abs(values[1]! - expected) > 1e-4) fail(`the gradient at ${at} is ${values[1]}, expected ${expected}`)
      disposeAll([x, gradient])
    },
  },
  {
    name: 'a training loop of a hundred steps',
    run: async (backend) => {
      let x = sample(backend)
      for (let step = 0; step < 100; step++) {
        const before = x
        x = tidy(() => {
          const [gradient] = grad(() => sum(mul(before, before)), [before]) as [Tensor]
          return add(before, mul(gradient, tensor(backend, [-0.1], [])))
        })
        before.dispose()
      }
      const values = await read(x)
      if (!(Math.abs(values[3]!) < 1e-6)) fail(`after a hundred steps the value is ${values[3]}`)
      x.dispose()
    },
  },
]
