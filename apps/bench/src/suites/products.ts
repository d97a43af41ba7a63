// Which matrix products are measured. m, k, n: [m, k] × [k, n]; an operand that is transposed is stored the other way round.

export interface Product {
  readonly name: string
  readonly group: 'square' | 'layer' | 'threads'
  readonly dtype: 'f32' | 'bf16'
  readonly batch: number
  readonly m: number
  readonly k: number
  readonly n: number
  readonly transposeA: boolean
  readonly transposeB: boolean
}

const sizes = [64, 128, 256, 512, 1024, 2048]
const dtypes = ['f32', 'bf16'] as const

export const squareProduct = (n: number, dtype: Product['dtype']): Product => ({
  name: dtype === 'f32' ? `${n}×${n}` : `${n}×${n}, ${dtype}`,
  group: 'square',
  dtype,
  batch: 1,
  m: n,
  k: n,
  n,
  transposeA: false,
  transposeB: false,
})

interface LayerShape {
  readonly what: string
  readonly batch?: number
  readonly m: number
  readonly k: number
  readonly n: number
  readonly transposeA?: boolean
  readonly transposeB?: boolean
}

// Forward, both gradients, attention and one-row products of models with 384 (12.3M) and 768 (124M) wide layers. Weights are stored
// [out, in], so the forward product has B transposed.
const layerShapes: readonly LayerShape[] = [
  { what: 'qkv', m: 2048, k: 384, n: 1152, transposeB: true },
  { what: 'feed-forward up', m: 2048, k: 384, n: 1536, transposeB: true },
  { what: 'feed-forward down', m: 2048, k: 1536, n: 384, transposeB: true },
  { what: 'head', m: 2048, k: 384, n: 4096, transposeB: true },
  { what: 'gradient of inputs', m: 2048, k: 1536, n: 384 },
  { what: 'gradient of weights', m: 1536, k: 2048, n: 384, transposeA: true },
  { what: '124M, feed-forward up', m: 256, k: 768, n: 3072, transposeB: true },
  { what: 'attention scores', batch: 48, m: 256, k: 64, n: 256, transposeB: true },
  { what: 'attention values', batch: 48, m: 256, k: 256, n: 64 },
  { what: 'one row', m: 1, k: 768, n: 3072, transposeB: true },
  { what: '8 rows', m: 8, k: 768, n: 3072, transposeB: true },
  { what: 'one column', m: 3072, k: 768, n: 1 },
]

const layerProduct = ({ what, batch = 1, m, k, n, transposeA = false, transposeB = false }: LayerShape, dtype: Product['dtype']): Product => {
  const left = `${m}×${k}${transposeA ? 'ᵀ' : ''}`
  const right = `${k}×${n}${transposeB ? 'ᵀ' : ''}`
  return { name: `${what}: ${batch === 1 ? '' : `${batch} of `}${left} · ${right}, ${dtype}`, group: 'layer', dtype, batch, m, k, n, transposeA, transposeB }
}

export const fullProducts: readonly Product[] = [
  ...dtypes.flatMap((dtype) => sizes.map((n) => squareProduct(n, dtype))),
  ...dtypes.flatMap((dtype) => layerShapes.map((shape) => layerProduct(shape, dtype))),
]

export const quickProducts: readonly Product[] = [
  ...[64, 128].map((n) => squareProduct(n, 'f32')),
  squareProduct(64, 'bf16'),
  layerProduct({ what: 'small layer', batch: 2, m: 8, k: 16, n: 24, transposeB: true }, 'f32'),
]
