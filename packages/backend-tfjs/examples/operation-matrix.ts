// Which operations run on kernels of this package, and which by their decomposition: `node --conditions=@weft/source
// examples/operation-matrix.ts wasm`, or cpu.
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import { backendMatrix } from '@weft/tensor/testing'
import { createTfjsBackend } from '../src/index.ts'

const backendName = process.argv[2] ?? 'wasm'
const rows = await backendMatrix(() => createTfjsBackend({ tf, backendName }))
for (const via of ['primitive', 'kernel', 'mixed', 'decomposed']) {
  console.log(`${via}: ${rows.filter((row) => row.via === via).map(({ op }) => op).join(' ')}`)
}
