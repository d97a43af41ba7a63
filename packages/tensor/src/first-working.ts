// Which backend to use where several may be there.
import { WeftError } from '@weft/contracts'
import type { Backend } from './backend.ts'

export interface BackendCandidate {
  readonly name: string
  create(): Backend | Promise<Backend>
}

/**
 * The first candidate that starts.
 * @param options.onSkipped told of each that does not, with the reason.
 * @throws WeftError of kind `backend` listing every reason when none works.
 */
export const firstWorking = async (
  candidates: readonly BackendCandidate[],
  options: { readonly onSkipped?: (skipped: { readonly name: string; readonly reason: string }) => void } = {},
): Promise<Backend> => {
  const reasons: string[] = []
  for (const { name, create } of candidates) {
    try {
      return await create()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      reasons.push(`${name}: ${reason}`)
      options.onSkipped?.({ name, reason })
    }
  }
  throw new WeftError('backend', `no backend works. ${reasons.join('; ')}`)
}
