// The memory of a kvCache: keys and values of every layer by turns, [rows, capacity, heads, width] each, held outside of any tidy.
// Knows no lengths. A step that throws leaves everything as it was.
import { ConfigError } from '@weft/contracts'
import { keep, noGrad, tensor, tidy, type Tensor } from '@weft/tensor'
import { gather, kvAppend } from '@weft/tensor/ops'

export interface KvTensors {
  /** @throws ConfigError after dispose. */
  all(): readonly Tensor[]
  readonly sizeBytes: number
  /** Makes every tensor anew; the old ones go last. */
  replace(make: (x: Tensor, index: number) => Tensor): void
  /** Copies of these rows; the caller's. */
  gather(rows: readonly number[]): Tensor[]
  /** Writes rows [rows, T, heads, width] behind `at`, in place where nobody else holds the tensor. */
  append(index: number, rows: Tensor, at: readonly number[]): Tensor
  dispose(): void
}

/** Takes over the tensors. */
export const kvTensors = (held: Tensor[]): KvTensors => {
  keep(held)
  const all = (): readonly Tensor[] => {
    if (held.length === 0) throw new ConfigError('kvCache: it was used after dispose')
    return held
  }
  return {
    all,
    get sizeBytes() {
      return held.reduce((sum, x) => sum + x.size * (x.dtype === 'f64' ? 8 : 4), 0)
    },
    replace: (make) => {
      const made = keep(noGrad(() => tidy(() => all().map(make))))
      for (const x of held.splice(0, held.length, ...made)) x.dispose()
    },
    gather: (rows) =>
      noGrad(() =>
        tidy(() => {
          const [first] = all()
          const indices = tensor(first!.backend, Int32Array.from(rows), [rows.length])
          return all().map((x) => gather(x, indices))
        }),
      ),
    append: (index, rows, at) => {
      // The old handle is consumed, so the new one must be held at once, whatever happens next.
      const written = keep(kvAppend(all()[index]!, rows, { at }))
      held[index] = written
      return written
    },
    dispose: () => {
      for (const x of held.splice(0)) x.dispose()
    },
  }
}
