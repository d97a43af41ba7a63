// In an address space of a few gigabytes: asks for more than there is, in a call and in an upload, then goes on with what fits.
import { full, read, tensor, type Tensor } from '@weft/tensor'
import { createNativeBackend } from '../../src/index.ts'

const backend = createNativeBackend({ threads: 2, memoryLimitBytes: 1e12 })
const bytes = new Uint8Array(1 << 28) // before there is no room for it
const held: Tensor[] = []
const refusals = new Set<string>()
for (let i = 0; i < 30 && refusals.size === 0; i++) {
  const x = full(backend, [1 << 26], i)
  held.push(x)
  await backend.read({ data: x.storage('test').data as number, shape: [1], dtype: 'f32' }).catch((error: Error) => refusals.add(error.message))
}
process.stdout.write(`held ${held.length - 1}, refused: ${[...refusals].join()}\n`)
let isRefused = false
for (let i = 0; i < 30 && !isRefused; i++) {
  try {
    held.push(tensor(backend, bytes, [bytes.length]))
  } catch (error) {
    isRefused = true
    process.stdout.write(`upload: ${String(error)}\n`)
  }
}
for (const x of held) x.dispose()
process.stdout.write(`afterwards ${String(await read(full(backend, [2], 5)))}, buffers ${backend.memory().buffers}\n`)
await backend.dispose()
