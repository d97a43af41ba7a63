import { createNativeBackend } from '@weft/backend-native'
import { createParameter, keep, tensor, tidy, valueAndGrad, zeros, read, noGrad, childKey, randomKey } from '@weft/tensor'
import { adamWStep, mean, globalNorm } from '@weft/tensor/ops'
import { createModel } from '@weft/transformer'
const sizes: any = { small: { numLayers: 4, numHeads: 4, dModel: 128, vocabSize: 512, B: 12, T: 64 }, mid: { numLayers: 6, numHeads: 6, dModel: 384, vocabSize: 4096, B: 8, T: 256 }, gpt2: { numLayers: 12, numHeads: 12, dModel: 768, vocabSize: 50257, B: 4, T: 64 } }
const [name = 'small', stepsText = '10'] = process.argv.slice(2)
const { B, T, ...s } = sizes[name]
const b = createNativeBackend()
const model = createModel({ family: 'gpt2', contextLength: T, ...s }, { backend: b, seed: 1 })
const parameters = [...model.parameters().values()]
let state = { firstMoments: parameters.map(p => keep(zeros(b, p.value.shape))), secondMoments: parameters.map(p => keep(zeros(b, p.value.shape))), step: keep(zeros(b, [])) }
const count = parameters.reduce((n, p) => n + p.value.size, 0)
const ids = Int32Array.from({ length: B * T + 1 }, (_, i) => (i * 7919 + (i >> 3)) % s.vocabSize)
let js = 0
const step = () => {
  const t0 = performance.now()
  const loss = tidy(() => {
    const batch = { tokenIds: ids.slice(0, -1), targetIds: ids.slice(1), shape: [B, T] as const }
    const { result, gradients } = valueAndGrad(() => {
      const { hidden } = model.hiddenStates(batch as any, { key: randomKey(1), training: true })
      return { value: mean(model.tokenLosses(hidden, batch as any)) }
    }, parameters)
    noGrad(() => {
      const next = adamWStep({ values: parameters.map(p => p.value), masters: [], gradients, ...state, gradientScale: tensor(b, [1], []) }, { learningRate: 1e-3, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1 } as any) as any
      parameters.forEach((p, i) => p.assign({ value: next.values[i] }))
      state = { firstMoments: next.firstMoments.map((x: any) => keep(x)), secondMoments: next.secondMoments.map((x: any) => keep(x)), step: keep(next.step) }
    })
    return result.value
  })
  js += performance.now() - t0
  return loss
}
const times: number[] = []
for (let i = 0; i < Number(stepsText); i++) { const t = performance.now(); const l = step(); const v = await read(l); l.dispose(); times.push(performance.now() - t); if (i === 0 || i === Number(stepsText) - 1) console.log('loss', v[0]) }
times.sort((a, c) => a - c)
const med = times[times.length >> 1]!, min = times[0]!
console.log(name, count, 'median ms', med.toFixed(1), 'min', min.toFixed(1), 'tok/s', (B * T / min * 1000).toFixed(0), 'js ms', (js / times.length).toFixed(2), 'gflops', (6 * count * B * T / min / 1e6).toFixed(0), b.statistics(), process.resourceUsage().maxRSS / 1e3)
await b.dispose()
