/**
 * Disjoint sets by size with path compression. Of two sets of equal size the left one's root stays the root, as in datatrove: which
 * document of a cluster is kept depends on it.
 */
export const createUnionFind = (count: number) => {
  const parents = Uint32Array.from({ length: count }, (_, i) => i)
  const sizes = new Uint32Array(count).fill(1)
  const find = (item: number): number => {
    let root = item
    while (parents[root] !== root) root = parents[root]!
    for (let at = item; at !== root; ) {
      const next = parents[at]!
      parents[at] = root
      at = next
    }
    return root
  }
  return {
    find,
    union: (left: number, right: number): void => {
      const a = find(left)
      const b = find(right)
      if (a === b) return
      const [large, small] = sizes[a]! >= sizes[b]! ? [a, b] : [b, a]
      parents[small] = large
      sizes[large]! += sizes[small]!
    },
    /** Items in the set of this root. */
    size: (root: number): number => sizes[root]!,
  }
}
