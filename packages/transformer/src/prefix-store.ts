// Caches of what was read lately, so that a chat's next turn computes only what is new. Bounded in bytes, oldest out first.
import type { KvCache } from './kv-cache.ts'

interface Entry {
  /** As many as the cache holds. */
  readonly tokenIds: readonly number[]
  readonly cache: KvCache
}

export interface PrefixStore {
  /**
   * Takes out the single-row cache that shares the longest beginning with these tokens, cut to it; at least one token is left for the
   * model to read, since its logits are wanted.
   */
  take(tokenIds: Uint32Array): KvCache | undefined
  /** Takes over a cache and the tokens in it. */
  put(tokenIds: readonly number[], cache: KvCache): void
  dispose(): void
}

// Shorter ones cost less to compute than to look after.
const shortestPrefix = 8

export const prefixStore = (options: { readonly maxBytes: number }): PrefixStore => {
  const entries: Entry[] = []
  let isDisposed = false
  const drop = (index: number): void => entries.splice(index, 1)[0]?.cache.dispose()
  return {
    take: (tokenIds) => {
      const shared = entries.map((entry) => Math.min(sharedLength(entry.tokenIds, tokenIds), tokenIds.length - 1))
      const best = shared.reduce((found, length, i) => (length > (shared[found] ?? 0) ? i : found), -1)
      if (best < 0 || shared[best]! < shortestPrefix) return undefined
      const [{ cache }] = entries.splice(best, 1) as [Entry]
      cache.truncate(shared[best]!)
      return cache
    },
    put: (tokenIds, cache) => {
      if (isDisposed || cache.sizeBytes > options.maxBytes) return cache.dispose()
      entries.push({ tokenIds, cache })
      while (entries.reduce((sum, entry) => sum + entry.cache.sizeBytes, 0) > options.maxBytes) drop(0)
    },
    dispose: () => {
      isDisposed = true
      while (entries.length > 0) drop(0)
    },
  }
}

const sharedLength = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i
  return length
}
