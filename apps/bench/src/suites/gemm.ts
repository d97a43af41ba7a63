// Matrix products: squares over a range of sizes, the products of a transformer layer, and squares over thread counts. Weft on its
// backends, tfjs called directly, PyTorch into a buffer that it keeps.
import type { Backend, Tensor } from '@weft/tensor'
import { randomKey, random, readScalar, tidy } from '@weft/tensor'
import { cast, matMul, reshape, slice } from '@weft/tensor/ops'
import { startBackend, startIfThere, tf, weftOn, type BackendName } from '../backends.ts'
import { threadsText } from '../table.ts'
import { interleaved, type Samples, type Subject } from '../measure.ts'
import { measurementsOf } from '../measurements.ts'
import { machinePeaks, peaksOf, shareOfPeak, threadCounts, type ThreadPeaks } from '../peaks.ts'
import { numberOf } from '../line-peer.ts'
import { startPythonPeer, type PythonPeer } from '../python-peer.ts'
import type { Measurement, Suite, SuiteContext, Work } from '../suite.ts'
import { fullProducts, quickProducts, squareProduct, type Product } from './products.ts'

/** Work of one measured run, so that a small product is not lost in the clock and a slow backend does not take minutes. */
const flopsPerRun = { native: 6e9, 'tfjs-wasm': 1e9, 'tfjs-cpu': 5e7, reference: 5e7 } as const
const quickFlopsPerRun = 2e7

const flopsOf = ({ batch, m, k, n }: Product): number => 2 * batch * m * k * n
const timesFor = (product: Product, flops: number): number => Math.max(1, Math.round(flops / flopsOf(product)))

const operand = (backend: Backend, label: string, { batch, dtype }: Product, rows: number, columns: number): Tensor =>
  tidy(() => {
    const values = random(backend, batch === 1 ? [rows, columns] : [batch, rows, columns], { key: randomKey(1, label), distribution: 'normal' })
    return dtype === 'f32' ? values : cast(values, dtype)
  })

interface OwnSubject extends Subject {
  dispose(): void
}

const weftSubject = (name: BackendName, backend: Backend, product: Product, times: number, threads: number): OwnSubject => {
  const { m, k, n, transposeA, transposeB } = product
  const a = operand(backend, 'a', product, transposeA ? k : m, transposeA ? m : k)
  const b = operand(backend, 'b', product, transposeB ? n : k, transposeB ? k : n)
  const multiply = (): Tensor => matMul(a, b, { transposeA, transposeB })
  return {
    name: weftOn(name, threads),
    id: name,
    run: async () => {
      for (let i = 1; i < times; i++) multiply().dispose()
      // One value is read: it comes when all is done.
      const corner = tidy(() => cast(slice(reshape(multiply(), [product.batch * m * n]), [0], [1]), 'f32'))
      await readScalar(corner)
      corner.dispose()
      return times * flopsOf(product)
    },
    dispose: () => [a, b].forEach((one) => one.dispose()),
  }
}

const tfjsSubject = async (backendName: 'wasm' | 'cpu', product: Product, times: number): Promise<OwnSubject> => {
  await startBackend(`tfjs-${backendName}`)
  await tf.setBackend(backendName)
  const { m, k, n } = product
  const [a, b] = [tf.randomNormal<tf.Rank.R2>([m, k]), tf.randomNormal<tf.Rank.R2>([k, n])]
  return {
    name: `tfjs ${backendName} ${tf.version_core}`,
    id: `plain-tfjs-${backendName}`,
    run: async () => {
      await tf.setBackend(backendName)
      for (let i = 1; i < times; i++) tf.matMul(a, b).dispose()
      const result = tf.matMul(a, b)
      await result.data()
      result.dispose()
      return times * flopsOf(product)
    },
    dispose: () => [a, b].forEach((one) => one.dispose()),
  }
}

const torchSubject = (peer: PythonPeer, product: Product, times: number, threads: number): Subject => ({
  name: `${peer.name}, ${threadsText(threads)}`,
  id: 'torch',
  run: async () => ({ units: times * flopsOf(product), seconds: numberOf(await peer.ask({ kind: 'product', times, ...product }), 'seconds') }),
})

interface Sides {
  readonly context: SuiteContext
  /** Absent where it does not start. */
  readonly native: Backend | undefined
  readonly wasm: Backend
  readonly peer: PythonPeer | undefined
}

const subjectsOf = async (product: Product, { context, native, wasm, peer }: Sides): Promise<{ subjects: Subject[]; disposables: OwnSubject[] }> => {
  const { isQuick, threads } = context
  const times = (name: keyof typeof flopsPerRun): number => timesFor(product, isQuick ? quickFlopsPerRun : flopsPerRun[name])
  const own: OwnSubject[] = []
  if (native !== undefined) own.push(weftSubject('native', native, product, times('native'), threads))
  if (product.group === 'square' && product.dtype === 'f32') {
    if (product.n <= 1024) own.push(weftSubject('tfjs-wasm', wasm, product, times('tfjs-wasm'), 1), await tfjsSubject('wasm', product, times('tfjs-wasm')))
    if (product.n <= 256) {
      own.push(weftSubject('tfjs-cpu', await startBackend('tfjs-cpu'), product, times('tfjs-cpu'), 1), await tfjsSubject('cpu', product, times('tfjs-cpu')))
      own.push(weftSubject('reference', await startBackend('reference'), product, times('reference'), 1))
    }
  }
  return { subjects: [...own, ...(peer === undefined ? [] : [torchSubject(peer, product, times('native'), threads)])], disposables: own }
}

const bytesOf = ({ batch, m, k, n, dtype }: Product): number => batch * (m * k + k * n + m * n) * (dtype === 'bf16' ? 2 : 4)
const workOf = (product: Product): Work => ({ flopsPerUnit: 1e9, bytesPerUnit: (1e9 * bytesOf(product)) / flopsOf(product), precision: product.dtype })

async function* compare(product: Product, sides: Sides, peaks: readonly ThreadPeaks[]): AsyncGenerator<Measurement> {
  const { context } = sides
  const { subjects, disposables } = await subjectsOf(product, sides)
  if (subjects.length === 0) return
  try {
    const samples = await interleaved(subjects, { runs: context.runs })
    const scaling = product.group === 'square' ? { scaling: { plot: `Square matrix products, ${product.dtype}`, xLabel: 'n', x: product.n } } : {}
    yield* describe(product, samples, (gflops) => ({ ...shareOfPeak(peaksOf(peaks, context.threads), product.dtype, gflops), ...scaling }))
  } finally {
    for (const one of disposables) one.dispose()
  }
}

const describe = (product: Product, samples: readonly Samples[], more: (gflops: number) => Pick<Measurement, 'share' | 'scaling'>): Measurement[] =>
  measurementsOf('gemm', product.name, 'GFLOP/s', 1e9, samples, ({ value }) => ({ work: workOf(product), ...more(value) }))

async function* overThreads(sides: Sides, peaks: readonly ThreadPeaks[]): AsyncGenerator<Measurement> {
  const { context, peer } = sides
  const size = context.isQuick ? 128 : 1024
  for (const threads of threadCounts(context.threads)) {
    const product: Product = { ...squareProduct(size, 'f32'), group: 'threads', name: `${size}×${size}, f32, ${threadsText(threads)}` }
    const backend = await startBackend('native', { threads })
    const times = timesFor(product, context.isQuick ? quickFlopsPerRun : flopsPerRun.native)
    const own = weftSubject('native', backend, product, times, threads)
    try {
      await peer?.ask({ kind: 'threads', threads })
      const subjects = [own, ...(peer === undefined ? [] : [torchSubject(peer, product, times, threads)])]
      const scaling = { plot: `Threads: ${size}×${size}, f32`, xLabel: 'threads', x: threads }
      yield* describe(product, await interleaved(subjects, { runs: context.runs }), (gflops) => ({ ...shareOfPeak(peaksOf(peaks, threads), 'f32', gflops), scaling }))
    } finally {
      own.dispose()
      await backend.dispose()
      await peer?.ask({ kind: 'threads', threads: context.threads })
    }
  }
}

export const gemm: Suite = {
  name: 'gemm',
  about: 'matrix products, square and of a transformer layer, f32 and bf16, GFLOP/s',
  async *run(context) {
    const { isQuick, withPeers, threads, note } = context
    const peaks = await machinePeaks(context)
    const native = await startIfThere('native', context)
    const wasm = await startBackend('tfjs-wasm')
    const peer = withPeers ? await startPythonPeer('torch_peer.py', 'torch', note, { threads }) : undefined
    const sides: Sides = { context, native, wasm, peer }
    const hasBf16 = native !== undefined && native.traits.dtypes.has('bf16')
    try {
      for (const product of isQuick ? quickProducts : fullProducts) {
        if (product.dtype === 'bf16' && !hasBf16) continue
        if (product.group !== 'square' && native === undefined) continue
        yield* compare(product, sides, peaks)
      }
      if (native !== undefined) yield* overThreads(sides, peaks)
    } finally {
      peer?.close()
      await native?.dispose()
    }
  },
}
