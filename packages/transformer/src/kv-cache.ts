// The keys and values of what a model has read, so that a new token costs one token. Rows may have different lengths; what lies
// beyond a row's length is junk that attention never looks at, so that taking tokens back only changes a number.
import { ConfigError, UnsupportedError } from '@weft/contracts'
import { full, keep, zeros, type Tensor } from '@weft/tensor'
import { concat, pad, reshape, rope, slice } from '@weft/tensor/ops'
import { disposeSymbol } from './dispose-symbol.ts'
import { kvTensors } from './kv-tensors.ts'
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
  const held = Array.from({ length: 2 * numLayers }, () => zeros(backend, [rows, maxTokens, numKvHeads, headDim], { dtype }))
  return cacheOf(model, held, new Array<number>(rows).fill(0))
}

const integers = (name: string, values: readonly number[], low: number, high: (index: number) => number): void => {
  values.forEach((value, i) => {
    if (!Number.isInteger(value) || value < low || value > high(i)) throw new ConfigError(`kvCache.${name}: expected integers from ${low} to ${high(i)}, got ${value}`)
  })
}

/** @param held keys and values by turns; taken over. */
const cacheOf = (model: Model, held: Tensor[], initialLengths: readonly number[]): KvCache => {
  const { config, frequencies } = partsOf(model)
  const tensors = kvTensors(held)
  let lengths = initialLengths
  const capacity = (): number => tensors.all()[0]!.shape[1]!
  const requireRows = (name: string, rows: readonly number[]): void => {
    if (rows.length === 0) throw new ConfigError(`kvCache.${name}: expected at least one row`)
    integers(name, rows, 0, () => lengths.length - 1)
  }
  const cache: KvCache = {
    layout: layoutOf(config),
    get rows() {
      return lengths.length
    },
    get maxTokens() {
      return capacity()
    },
    get lengths() {
      return lengths
    },
    get sizeBytes() {
      return tensors.sizeBytes
    },
    truncate: (to) => {
      const next = typeof to === 'number' ? lengths.map(() => to) : [...to]
      if (next.length !== lengths.length) throw new ConfigError(`kvCache.truncate: expected ${lengths.length} lengths, got ${next.length}`)
      integers('truncate', next, 0, (i) => lengths[i]!)
      lengths = next
    },
    reorder: (rows) => {
      requireRows('reorder', rows)
      const made = tensors.gather(rows)
      tensors.replace((_, i) => made[i]!)
      lengths = rows.map((row) => lengths[row]!)
    },
    fork: (rows = lengths.map((_, row) => row)) => {
      requireRows('fork', rows)
      return cacheOf(model, tensors.gather(rows), rows.map((row) => lengths[row]!))
    },
    shift: ({ keep: kept, drop }) => {
      requireShift(kept, drop, Math.min(...lengths))
      if (frequencies === undefined) throw new UnsupportedError('kvCache.shift: learned positions cannot be moved; start a new cache with the shorter text')
      tensors.replace((x, i) => shifted(x, { kept, drop, frequencies: i % 2 === 0 ? frequencies : undefined }))
      lengths = lengths.map((length) => length - drop)
    },
    snapshot: () => snapshotOf(tensors.all(), lengths),
    restore: (snapshot) => {
      const saved = snapshots.get(snapshot)
      if (saved === undefined || saved.length !== tensors.all().length) throw new ConfigError('kvCache.restore: expected what snapshot() of a cache of this model returned')
      tensors.replace((_, i) => reshape(saved[i]!, saved[i]!.shape))
      lengths = snapshot.lengths
    },
    dispose: () => tensors.dispose(),
    [disposeSymbol]: () => tensors.dispose(),
    append: (layerIndex, keys, values) => ({
      keys: tensors.append(2 * layerIndex, keys, lengths),
      values: tensors.append(2 * layerIndex + 1, values, lengths),
    }),
    reserve: (count) => {
      const needed = Math.max(...lengths) + count
      const more = Math.max(needed, Math.min(2 * capacity(), config.contextLength)) - capacity()
      if (needed > capacity()) tensors.replace((x) => pad(x, [0, 0, 0, 0], [0, more, 0, 0]))
    },
    advance: (counts) => {
      lengths = lengths.map((length, row) => length + counts[row]!)
    },
  }
  return cache
}

const requireShift = (kept: number, drop: number, shortest: number): void => {
  if (Number.isInteger(kept) && Number.isInteger(drop) && kept >= 0 && drop >= 0 && kept + drop <= shortest) return
  throw new ConfigError(`kvCache.shift: expected integers keep ≥ 0 and drop ≥ 0, together at most the shortest row, ${shortest}; got keep ${kept}, drop ${drop}`)
}

const snapshotOf = (tensors: readonly Tensor[], lengths: readonly number[]): KvCacheSnapshot => {
  const held = keep(tensors.map((x) => reshape(x, x.shape)))
  const snapshot = { lengths, dispose: () => held.forEach((x) => x.dispose()) }
  snapshots.set(snapshot, held)
  return snapshot
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
