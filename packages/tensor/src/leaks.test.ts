import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { createCpuBackend } from './cpu.ts'
import { tensor, tidy, watchLeaks, type Leak } from './index.ts'
import { exp } from './primitives.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

test('a handle that is lost is reported with where it was made; disposed and tidied ones are not', async () => {
  const backend = createCpuBackend()
  const leaks: Leak[] = []
  const stop = watchLeaks(backend, (leak) => leaks.push(leak))
  const loseOne = () => void tensor(backend, [1, 2, 3], [3])
  loseOne()
  tensor(backend, [1], [1]).dispose()
  tidy(() => void exp(tensor(backend, [1, 2], [2])))
  for (let turn = 0; turn < 50 && leaks.length === 0; turn++) {
    collectGarbage()
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(leaks).toMatchObject([{ shape: [3], dtype: 'f32' }])
  expect(leaks[0]!.madeAt).toContain('loseOne')
  stop()
  stop()
})
