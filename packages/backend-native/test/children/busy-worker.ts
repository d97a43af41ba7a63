// A worker thread with a backend of its own, which it never disposes.
import { parentPort, workerData } from 'node:worker_threads'
import { full, read } from '@weft/tensor'
import { createNativeBackend } from '../../src/index.ts'
import { enqueueLongWork } from './long-work.ts'

const backend = createNativeBackend({ threads: 2 })
parentPort!.postMessage((await read(full(backend, [2], 5)))[0])
if (workerData === 'ends by itself') full(backend, [1000], 1)
else {
  const last = enqueueLongWork(backend, workerData === 'waits in readSync' ? 40 : 400) // readSync cannot be left early
  parentPort!.postMessage('busy')
  if (workerData === 'waits in readSync') backend.readSync!({ data: last.storage('test').data as number, shape: [1], dtype: 'f32' })
  else await read(last)
}
