// In an address space that has no room for the stacks of so many threads: creating the backend fails, a smaller one works.
import { full, read } from '@weft/tensor'
import { createNativeBackend } from '../../src/index.ts'

try {
  createNativeBackend({ threads: 256 })
  process.stdout.write('there was room\n')
} catch (error) {
  process.stdout.write(`${String(error)}\n`)
}
const backend = createNativeBackend({ threads: 2 })
process.stdout.write(`afterwards ${String(await read(full(backend, [2], 5)))}\n`)
await backend.dispose()
