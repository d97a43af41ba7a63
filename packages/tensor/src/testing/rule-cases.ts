// Group 5: the six rules of a backend, and donation. Those that end a backend get one of their own.
import { isWeftError } from '@weft/contracts'
import type { Backend } from '../backend.ts'
import { read, tensor } from '../create.ts'
import { viewStored } from '../dtype.ts'
import { exec, execOne } from '../exec.ts'
import { defineOp } from '../op-definition.ts'
import { add, full, matMul, mul, scalarLike, sum } from '../primitives.ts'
import { memory } from '../runtime.ts'
import { grad } from '../tape.ts'
import type { Tensor } from '../tensor.ts'
import { disposeAll, tidy } from '../tidy.ts'
import { fail } from './run-case.ts'

interface RuleCase {
  readonly name: string
  /** Needs a backend of its own and disposes it. */
  readonly ends?: true
  run(backend: Backend): Promise<void>
}

const expectValues = async (x: Tensor, expected: readonly number[], what: string): Promise<void> => {
  const values = Array.from(await read(x))
  if (values.length !== expected.length || values.some((value, i) => value !== expected[i])) fail(`${what}: read [${values.join(', ')}], expected [${expected.join(', ')}]`)
}

const consuming = defineOp({
  name: 'conformanceConsuming',
  inputs: ['x'],
  infer: ([x]) => [x as { shape: readonly number[]; dtype: 'f32' }],
  decompose: ({ inputs: [x] }) => [add(x as Tensor, x as Tensor)],
  donates: ['x'],
})

export const ruleCases: readonly RuleCase[] = [
  {
    name: 'rule 1: a read survives the free that follows it, and the buffer may serve the next call',
    run: async (backend) => {
      const x = tensor(backend, Array.from({ length: 1000 }, (_, i) => i), [1000])
      const pending = read(x)
      x.dispose()
      const others = Array.from({ length: 8 }, (_, i) => full(backend, [1000], -1 - i))
      const values = await pending
      if (values[0] !== 0 || values[999] !== 999) fail(`the read gave ${values[0]} … ${values[999]} instead of 0 … 999: it saw what came after it`)
      disposeAll(others)
    },
  },
  {
    name: 'rule 1: calls take effect in order',
    run: async (backend) => {
      let x = full(backend, [100], 0)
      for (let i = 1; i <= 200; i++) {
        const next = tidy(() => add(x, scalarLike(x, i)))
        x.dispose()
        x = next
      }
      await expectValues(x, new Array<number>(100).fill(20_100), 'a chain of 200 sums')
      x.dispose()
    },
  },
  {
    name: 'rule 2: upload has copied when it returns',
    run: async (backend) => {
      const host = Float32Array.of(1, 2, 3)
      const bytes = Uint8Array.of(9, 8, 7)
      const uploads = [tensor(backend, host, [3]), tensor(backend, bytes, [3])] as const
      host.fill(0)
      bytes.fill(0)
      await expectValues(uploads[0], [1, 2, 3], 'f32')
      await expectValues(uploads[1], [9, 8, 7], 'u8')
      disposeAll(uploads)
    },
  },
  {
    name: 'rule 2: upload takes a view into a larger buffer, at any offset that its type allows',
    run: async (backend) => {
      const x = tensor(backend, new Float32Array(Float32Array.of(0, 1, 2, 3, 4).buffer, 4, 3), [3])
      const y = tensor(backend, new Uint8Array(Uint8Array.of(0, 1, 2, 3, 4).buffer, 1, 3), [3])
      await expectValues(x, [1, 2, 3], 'f32')
      await expectValues(y, [1, 2, 3], 'u8')
      disposeAll([x, y])
    },
  },
  {
    name: 'rule 2: what read returned is the caller’s to change',
    run: async (backend) => {
      const x = tensor(backend, [1, 2, 3], [3])
      ;(await read(x)).fill(0)
      await expectValues(x, [1, 2, 3], 'the tensor after its values were overwritten on the host')
      x.dispose()
    },
  },
  {
    name: 'rule 3: a call that fails has changed nothing, and says so at once or when read',
    run: async (backend) => {
      const { maxBufferBytes } = backend.traits
      const before = memory(backend)
      const kept = tensor(backend, [1, 2], [2])
      let failed = false
      try {
        const huge = full(backend, [Math.floor(maxBufferBytes / 4) + 1024], 1)
        const total = sum(huge)
        huge.dispose()
        try {
          await read(total)
        } finally {
          total.dispose()
        }
      } catch {
        failed = true
      }
      if (!failed) fail(`a tensor above maxBufferBytes (${maxBufferBytes}) was made`)
      await expectValues(kept, [1, 2], 'another tensor')
      kept.dispose()
      if (memory(backend).bytes !== before.bytes) fail(`${memory(backend).bytes - before.bytes} bytes stayed behind`)
    },
  },
  {
    name: 'rule 4: a long queue with frees in between needs bounded memory',
    run: async (backend) => {
      const { bytes } = memory(backend)
      let x = full(backend, [64, 256], 1)
      for (let i = 0; i < 1500; i++) {
        const next = tidy(() => mul(x, scalarLike(x, 1)))
        x.dispose()
        x = next
      }
      const { buffers, bytes: after } = memory(backend)
      // One live tensor of 64 KiB; a backend may round sizes up, but not keep the 1500 dead ones.
      if (after - bytes > 8 * 64 * 256 * 4) fail(`${after - bytes} bytes in ${buffers} buffers are live after a chain that keeps one tensor of ${64 * 256 * 4}`)
      const values = await read(x)
      if (values.some((value) => value !== 1)) fail('the chain lost its values')
      x.dispose()
    },
  },
  {
    name: 'rule 5: readSync, where there is one, waits for what is queued and does not deadlock',
    run: async (backend) => {
      if (backend.readSync === undefined) return
      const x = tidy(() => matMul(full(backend, [64, 64], 1), full(backend, [64, 64], 2)))
      const values = viewStored(backend.readSync(x.operand('readSync')), 'f32')
      if (values[0] !== 128 || values.length !== 4096) fail(`readSync gave ${values.length} values beginning with ${values[0]}, expected 4096 of 128`)
      x.dispose()
    },
  },
  {
    name: 'rule 6: dispose drains what is under way, later calls throw',
    ends: true,
    run: async (backend) => {
      const x = tensor(backend, [1, 2], [2])
      const y = add(x, x)
      const pending = read(y)
      await backend.dispose()
      const values = await pending
      if (values[0] !== 2 || values[1] !== 4) fail(`a read from before dispose gave [${Array.from(values).join(', ')}]`)
      for (const [what, call] of Object.entries({ upload: async () => tensor(backend, [1], [1]), kernel: async () => add(y, y), read: () => read(y) })) {
        let failed = false
        await call().catch(() => (failed = true))
        if (!failed) fail(`${what} after dispose did not throw`)
      }
    },
  },
  {
    name: 'donation: the handle is dead, and later use names the reason',
    run: async (backend) => {
      const x = tensor(backend, [1, 2], [2])
      const y = execOne(consuming, [x])
      await expectValues(y, [2, 4], 'the output')
      let error: unknown
      try {
        add(x, x)
      } catch (caught) {
        error = caught
      }
      if (!isWeftError(error, 'donated')) fail(`using a donated tensor gave ${String(error)}, expected a DonatedTensorError`)
      x.dispose()
      y.dispose()
    },
  },
  {
    name: 'donation: recording a consuming operation throws',
    run: async (backend) => {
      const x = tensor(backend, [1, 2], [2])
      let failed = false
      try {
        disposeAll(grad(() => sum(exec(consuming, [x])[0]!), [x]))
      } catch {
        failed = true
      }
      if (!failed) fail('grad recorded a consuming operation')
      await expectValues(x, [1, 2], 'the input')
      x.dispose()
    },
  },
]
