// What somebody may have meant.

/** The name with the smallest edit distance (Levenshtein), if it is at most a third of the wanted name's length. */
export const nearestName = (wanted: string, names: Iterable<string>): string | undefined => {
  let best: string | undefined
  let smallest = Math.floor(wanted.length / 3) + 1
  for (const name of names) {
    if (Math.abs(name.length - wanted.length) >= smallest) continue
    const distance = editDistance(wanted, name)
    if (distance >= smallest) continue
    best = name
    smallest = distance
  }
  return best
}

const editDistance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
