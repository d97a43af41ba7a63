// Which operation runs how on a backend: the table that users of a backend ask for.
import { namedOps } from '../ops/named-ops.ts'
import type { OpDefinition } from '../op-definition.ts'
import { primitiveOps } from '../primitives.ts'
import { conformanceCases, hasKernel } from './conformance.ts'
import { skipOf, type BackendSuiteOptions } from './describe-backend.ts'
import { opCases } from './op-cases.ts'
import { callOf, type CreateBackend } from './run-case.ts'

export interface MatrixRow {
  readonly op: string
  /** `mixed`: its own kernel for some of the sample calls; `host`: computed in TypeScript and uploaded; `missing`: a primitive that is not there. */
  readonly via: 'primitive' | 'kernel' | 'mixed' | 'decomposed' | 'host' | 'missing'
  /** Cases of this operation that are skipped, with their reasons. */
  readonly skipped: readonly { readonly test: string; readonly reason: string }[]
}

/** How a backend runs each operation that the kit knows. */
export const backendMatrix = async (create: CreateBackend, options: BackendSuiteOptions = {}): Promise<MatrixRow[]> => {
  const backend = await create()
  const cases = conformanceCases(options)
  const primitives = new Set(primitiveOps.map(({ name }) => name))
  const samples = [...opCases, ...(options.cases ?? [])]
  const ops = new Map([...primitiveOps, ...namedOps, ...samples.map(({ op }) => op)].map((op) => [op.name, op]))
  const via = (op: OpDefinition): MatrixRow['via'] => {
    if (primitives.has(op.name)) return backend.kernels[op.name] === undefined ? 'missing' : 'primitive'
    if (backend.kernels[op.name] === undefined) return op.host === undefined ? 'decomposed' : 'host'
    const taken = samples.filter((one) => one.op.name === op.name).map((one) => hasKernel(backend, one, callOf(one)))
    return taken.every((x) => x) ? 'kernel' : taken.some((x) => x) ? 'mixed' : 'decomposed'
  }
  const skipped = (op: string): MatrixRow['skipped'] =>
    cases.filter((one) => one.op === op).flatMap(({ name }) => {
      const entry = skipOf(name, options.skip)
      return entry === undefined ? [] : [{ test: name, reason: entry.reason }]
    })
  const rows = [...ops.values()].map((op): MatrixRow => ({ op: op.name, via: via(op), skipped: skipped(op.name) }))
  await backend.dispose()
  return rows
}
