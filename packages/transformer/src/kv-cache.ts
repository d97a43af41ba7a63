// The keys and values of what a model has read, so that a new token costs one token. Rows may have different lengths; what lies
// beyond a row's length is junk that attention never looks at, so that taking tokens back only changes a number.
import { ConfigError, UnsupportedError } from '@weft/contracts'
import { full, keep, noGrad, tensor, tidy, zeros, type Tensor } from '@weft/tensor'
import { concat, gather, kvAppend, pad, reshape, rope, slice } from '@weft/tensor/ops'
import { disposeSymbol } from './dispose-symbol.ts'
import type { Model } from './model.ts'
import type { ModelConfig } from './model-config.ts'
import { partsOf } from './parts-of.ts'

/** What `snapshot` holds; restoring it does not use it up. */
export interface KvCacheSnapshot {
  readonly lengths: readonly number[]
  dispose(): void
}

/** Keys and values of every layer, [rows, maxTokens, numKvHeads, headDim] each. */
export interface KvCache {
  readonly rows: number
  /** How many tokens fit without a copy; doubles when more come. */
  readonly maxTokens: number
  /** Tokens held, by row. */
  readonly lengths: readonly number[]
  readonly sizeBytes: number
  /** Takes tokens back from the end; one number for all rows, or one each. Nothing is copied. */
  truncate(lengths: number | readonly number[]): void
  /** Row i becomes what row rows[i] was; their number may change. One gather a tensor. */
  reorder(rows: readonly number[]): void
  /** A cache of its own with copies of these rows; default all. */
  fork(rows?: readonly number[]): KvCache
  /**
   * Forgets `drop` tokens of every row after the first `keep`, and rotates the keys after them to their new positions.
   * @throws UnsupportedError for learned positions, which are inside the values and cannot be moved.
   */
  shift(options: { readonly keep: number; readonly drop: number }): void
  /** Cheap: the memory is shared until the next append, which then copies once. */
  snapshot(): KvCacheSnapshot
  restore(snapshot: KvCacheSnapshot): void
  dispose(): void
  [Symbol.dispose](): void
  /** @internal */
  readonly layout: string
  /** @internal Writes a layer's new rows [rows, T, K, Dh] behind each row's tokens; lengths stay until `advance`. */
  append(layerIndex: number, keys: Tensor, values: Tensor): { keys: Tensor; values: Tensor }
  /** @internal Makes room for T more tokens in every row. */
  reserve(count: number): void
  /** @internal */
  advance(counts: readonly number[]): void
}

/** @param options.maxTokens room from the start; at most the context length is needed. */
export const createKvCache = (model: Model, options: { readonly rows: number; readonly maxTokens: number }): KvCache => {
  const { rows, maxTokens } = options
  for (const [name, value] of Object.entries({ rows, maxTokens })) {
    if (!Number.isSafeInteger(value) || value < 1) throw new ConfigError(`createKvCache: ${name} must be a positive integer, got ${value}`)
  }
  const { config, backend, parameters } = partsOf(model)
  const { numLayers, numKvHeads, headDim } = config
  const dtype = parameters.get('embeddings.token.weight')?.value.dtype === 'f64' ? 'f64' : 'f32'
  const tensors = keep(Array.from({ length: 2 * numLayers }, () => zeros(backend, [rows, maxTokens, numKvHeads, headDim], { dtype })))
  return cacheOf(model, tensors, new Array<number>(rows).fill(0))
}

const integers = (name: string, values: readonly number[], low: number, high: (index: number) => number): void => {
  values.forEach((value, i) => {
    if (!Number.isInteger(value) || value < low || value > high(i)) throw new ConfigError(`kvCache.${name}: expected integers from ${low} to ${high(i)}, got ${value}`)
  })
}

/** @param tensors keys and values by turns; owned from here on, in no tidy. */
const cacheOf = (model: Model, tensors: Tensor[], initialLengths: readonly number[]): KvCache => {
  const { config, frequencies } = partsOf(model)
  let lengths: readonly number[] = initialLengths
  const capacity = (): number => tensors[0]!.shape[1]!
  const requireLive = (): void => {
    if (tensors.length === 0) throw new ConfigError('kvCache: it was used after dispose')
  }
  /** Replaces every tensor, the old ones going last so that a failure leaves all as it was. */
  const replace = (make: (x: Tensor, index: number) => Tensor): void => {
    requireLive()
    const made = keep(noGrad(() => tidy(() => tensors.map(make))))
    const old = tensors.splice(0, tensors.length, ...made)
    for (const x of old) x.dispose()
  }
  const gathered = (rows: readonly number[], name: string): Tensor[] => {
    requireLive()
    if (rows.length === 0) throw new ConfigError(`kvCache.${name}: expected at least one row`)
    integers(name, rows, 0, () => lengths.length - 1)
    return noGrad(() =>
      tidy(() => {
        const indices = tensor(model.backend, Int32Array.from(rows), [rows.length])
        return tensors.map((x) => gather(x, indices))
      }),
    )
  }
  const cache: KvCache = {
    layout: layoutOf(config),
    get rows() {
      return lengths.length
    },
    get maxTokens() {
      requireLive()
      return capacity()
    },
    get lengths() {
      return lengths
    },
    get sizeBytes() {
      return tensors.reduce((sum, x) => sum + x.size * (x.dtype === 'f64' ? 8 : 4), 0)
    },
    truncate: (to) => {
      const next = typeof to === 'number' ? lengths.map(() => to) : [...to]
      if (next.length !== lengths.length) throw new ConfigError(`kvCache.truncate: expected ${lengths.length} lengths, got ${next.length}`)
      integers('truncate', next, 0, (i) => lengths[i]!)
      lengths = next
    },
    reorder: (rows) => {
      const made = keep(gathered(rows, 'reorder'))
      for (const x of tensors.splice(0, tensors.length, ...made)) x.dispose()
      lengths = rows.map((row) => lengths[row]!)
    },
    fork: (rows = lengths.map((_, row) => row)) => cacheOf(model, keep(gathered(rows, 'fork')), rows.map((row) => lengths[row]!)),
    shift: ({ keep: kept, drop }) => {
      integers('shift', [kept, drop], 0, () => Math.min(...lengths))
      if (kept + drop > Math.min(...lengths)) throw new ConfigError(`kvCache.shift: keep ${kept} + drop ${drop} is more than the shortest row, ${Math.min(...lengths)}`)
      if (frequencies === undefined) throw new UnsupportedError('kvCache.shift: learned positions cannot be moved; start a new cache with the shorter text')
      replace((x, i) => shifted(x, { kept, drop, frequencies: i % 2 === 0 ? frequencies : undefined }))
      lengths = lengths.map((length) => length - drop)
    },
    snapshot: () => {
      requireLive()
      const held = keep(tensors.map((x) => reshape(x, x.shape)))
      const snapshot = { lengths, dispose: () => held.forEach((x) => x.dispose()) }
      snapshots.set(snapshot, held)
      return snapshot
    },
    restore: (snapshot) => {
      const held = snapshots.get(snapshot)
      if (held === undefined || held.length !== tensors.length) throw new ConfigError('kvCache.restore: expected what snapshot() of a cache of this model returned')
      replace((_, i) => reshape(held[i]!, held[i]!.shape))
      lengths = snapshot.lengths
    },
    dispose: () => {
      for (const x of tensors.splice(0)) x.dispose()
    },
    [disposeSymbol]: () => cache.dispose(),
    append: (layerIndex, keys, values) => {
      const write = (index: number, rows: Tensor): Tensor => {
        // The old handle is consumed, so the new one must be held at once, whatever happens next.
        const written = keep(kvAppend(tensors[index]!, rows, { at: [...lengths] }))
        tensors[index] = written
        return written
      }
      return { keys: write(2 * layerIndex, keys), values: write(2 * layerIndex + 1, values) }
    },
    reserve: (count) => {
      requireLive()
      const needed = Math.max(...lengths) + count
      if (needed <= capacity()) return
      const grown = Math.max(needed, Math.min(2 * capacity(), config.contextLength))
      const more = grown - capacity()
      replace((x) => pad(x, [0, 0, 0, 0], [0, more, 0, 0]))
    },
    advance: (counts) => {
      lengths = lengths.map((length, row) => length + counts[row]!)
    },
  }
  return cache
}

// Beside the snapshot, so that its tensors are no part of what users see.
const snapshots = new WeakMap<KvCacheSnapshot, readonly Tensor[]>()

/** x [B, M, K, Dh] without tokens kept … kept + drop; rotations compose, so keys turn by −drop more. */
const shifted = (x: Tensor, options: { readonly kept: number; readonly drop: number; readonly frequencies: Tensor | undefined }): Tensor => {
  const { kept, drop, frequencies } = options
  const [rows, capacity, heads, width] = x.shape as [number, number, number, number]
  const rest = capacity - kept - drop
  const part = (start: number, size: number): Tensor => slice(x, [0, start, 0, 0], [rows, size, heads, width])
  const tail = part(kept + drop, rest)
  const turned = frequencies === undefined || rest === 0 ? tail : rope(tail, frequencies, { positions: full(x.backend, [rows, rest], -drop, { dtype: 'i32' }) })
  return pad(concat([part(0, kept), turned], 1), [0, 0, 0, 0], [0, drop, 0, 0])
}

/** What model and cache must agree in. */
export const layoutOf = ({ numLayers, numKvHeads, headDim }: ModelConfig): string => `${numLayers} layers of ${numKvHeads} heads of width ${headDim}`
