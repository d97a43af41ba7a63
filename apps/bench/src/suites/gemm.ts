// Square matrix products in f32: Weft on its backends, tfjs called directly, PyTorch.
import { randomKey, random, readScalar, tidy } from '@weft/tensor'
import { matMul, slice } from '@weft/tensor/ops'
import { startBackend, tf, type BackendName } from '../backends.ts'
import { interleaved, type Subject } from '../measure.ts'
import { measurementsOf } from '../measurements.ts'
import { startPythonPeer } from '../python-peer.ts'
import type { Suite } from '../suite.ts'

/** Products a run: about the same work at every size, so that a small one is not lost in the clock. */
const timesFor = (n: number): number => Math.max(1, Math.round(2e9 / (2 * n ** 3)))

const weftSubject = async (name: BackendName, n: number): Promise<Subject> => {
  const backend = await startBackend(name)
  const make = (label: string) => random(backend, [n, n], { key: randomKey(1, label), distribution: 'normal' })
  const [a, b] = [make('a'), make('b')]
  const times = name === 'tfjs-wasm' ? timesFor(n) : Math.max(1, Math.round(timesFor(n) / 20))
  return {
    name: `weft on ${name}`,
    run: async () => {
      for (let i = 1; i < times; i++) matMul(a, b).dispose()
      const corner = tidy(() => slice(matMul(a, b), [0, 0], [1, 1]))
      await readScalar(corner)
      corner.dispose()
      return times * 2 * n ** 3
    },
  }
}

const tfjsSubject = async (backendName: 'wasm' | 'cpu', n: number): Promise<Subject> => {
  await startBackend(`tfjs-${backendName}`)
  await tf.setBackend(backendName)
  const [a, b] = [tf.randomNormal([n, n]), tf.randomNormal([n, n])]
  const times = backendName === 'wasm' ? timesFor(n) : Math.max(1, Math.round(timesFor(n) / 20))
  return {
    name: `tfjs ${backendName} 4.22`,
    run: async () => {
      await tf.setBackend(backendName)
      for (let i = 1; i < times; i++) tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D).dispose()
      const product = tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D)
      await product.data()
      product.dispose()
      return times * 2 * n ** 3
    },
  }
}

export const gemm: Suite = {
  name: 'gemm',
  about: 'square matrix products, f32, GFLOP/s',
  async *run({ runs, isQuick, withPeers, note }) {
    const peer = withPeers ? await startPythonPeer('torch_peer.py', 'torch', note) : undefined
    try {
      for (const n of isQuick ? [64, 128] : [64, 128, 256, 512, 1024]) {
        const subjects = [await weftSubject('tfjs-wasm', n), await tfjsSubject('wasm', n)]
        if (n <= 256) subjects.push(await weftSubject('tfjs-cpu', n), await tfjsSubject('cpu', n), await weftSubject('reference', n))
        if (peer !== undefined) {
          const times = timesFor(n)
          subjects.push({ name: peer.name, run: () => peer.ask({ kind: 'gemm', n, times }).then(() => times * 2 * n ** 3) })
        }
        yield* measurementsOf('gemm', `${n}×${n}`, 'GFLOP/s', 1e9, await interleaved(subjects, { runs }))
      }
    } finally {
      peer?.close()
    }
  },
}
