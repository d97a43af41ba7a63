import { createNativeBackend } from '@weft/backend-native'
import { tensor, read } from '@weft/tensor'
import { matMul, linear } from '@weft/tensor/ops'
const b = createNativeBackend({ threads: Number(process.argv[2] ?? 2) })
for (const spec of process.argv.slice(3)) {
  const [m, n, k] = spec.split(':')[0]!.split('x').map(Number) as [number, number, number]
  const kind = spec.split(':')[1] ?? 'nn'
  const mk = (s: number[]) => tensor(b, Float32Array.from({ length: s[0]! * s[1]! }, (_, i) => (i * 7 % 13) / 13 - .5), s)
  const A = mk(kind[0] === 't' ? [k, m] : [m, k]), B = mk(kind[1] === 't' ? [n, k] : [k, n])
  const f = () => matMul(A, B, { transposeA: kind[0] === 't', transposeB: kind[1] === 't' })
  const flops = 2 * m * n * k
  const inner = Math.max(1, 1)
  const ts: number[] = []
  const end = performance.now() + 120
  let js = Infinity
  while (performance.now() < end || ts.length < 5) {
    const t = performance.now()
    let last = f()
    for (let i = 1; i < inner; i++) { last.dispose(); last = f() }
    const j = performance.now() - t
    b.readSync!((last as any).operand("bench"))
    ts.push((performance.now() - t) / inner); js = Math.min(js, j / inner); last.dispose()
  }
  ts.sort((x, y) => x - y)
  console.log(spec.padEnd(20), 'best', (flops / ts[0]! / 1e6).toFixed(1), 'median', (flops / ts[ts.length >> 1]! / 1e6).toFixed(1), (ts[0]! * 1e3).toFixed(1), 'us; js', (js * 1e3).toFixed(2))
}
await b.dispose()
