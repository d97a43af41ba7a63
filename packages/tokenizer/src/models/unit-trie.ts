// A trie over UTF-16 units in typed arrays: children are found by hashing (node, unit) in one open table, those of the root directly.
// A quarter of a million tokens take some 30 MB and a tenth of a second.

export interface UnitTrie {
  /** The node behind `node` for this unit, 0 where there is none. The root is 1. */
  step(node: number, unit: number): number
  /** What stands at the node; −1: nothing. */
  valueAt(node: number): number
}

export const rootNode = 1

/** @param found what stands for each text, 0 or more; of equal texts the last counts. */
export const createUnitTrie = (texts: readonly string[], found: Int32Array): UnitTrie => {
  let capacity = 1 << 12
  let keys = new Float64Array(capacity) // node · 65,536 + unit, 0: free
  let children = new Int32Array(capacity)
  let values = new Int32Array(1024).fill(-1)
  let nodes = 2
  const first = new Int32Array(65_536)

  const slotOf = (node: number, unit: number): number => {
    const key = node * 65_536 + unit
    const mask = capacity - 1
    let slot = hashStep(node, unit) & mask
    while (keys[slot] !== 0 && keys[slot] !== key) slot = (slot + 1) & mask
    return slot
  }
  const grow = (): void => {
    const oldKeys = keys
    const oldChildren = children
    capacity *= 2
    keys = new Float64Array(capacity)
    children = new Int32Array(capacity)
    for (let i = 0; i < oldKeys.length; i++) {
      const key = oldKeys[i]!
      if (key === 0) continue
      const node = Math.floor(key / 65_536)
      const slot = slotOf(node, key - node * 65_536)
      keys[slot] = key
      children[slot] = oldChildren[i]!
    }
  }
  const newNode = (): number => {
    if (nodes === values.length) {
      const grown = new Int32Array(nodes * 2).fill(-1, nodes)
      grown.set(values)
      values = grown
    }
    if (nodes * 2 > capacity) grow()
    return nodes++
  }
  const ensure = (node: number, unit: number): number => {
    if (node === rootNode) return (first[unit] ||= newNode())
    let slot = slotOf(node, unit)
    if (keys[slot] !== 0) return children[slot]!
    const child = newNode()
    slot = slotOf(node, unit)
    keys[slot] = node * 65_536 + unit
    children[slot] = child
    return child
  }
  texts.forEach((text, index) => {
    let node: number = rootNode
    for (let i = 0; i < text.length; i++) node = ensure(node, text.charCodeAt(i))
    values[node] = found[index]!
  })
  return {
    step: (node, unit) => (node === rootNode ? first[unit]! : children[slotOf(node, unit)]!),
    valueAt: (node) => values[node]!,
  }
}

const hashStep = (node: number, unit: number): number => {
  const hash = Math.imul(node, 0x9e3779b1) ^ Math.imul(unit, 0x85ebca77)
  return hash ^ (hash >>> 15)
}
