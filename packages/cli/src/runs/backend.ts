// What `weft backend …` does.
import { WeftError } from '@weft/contracts'
import { backendMatrix, conformanceCases } from '@weft/tensor/testing'
import { backendCandidate, backendCandidates } from '../backends.ts'
import { textTable } from '../text-table.ts'
import { UsageError, type Session } from '../session.ts'

export const list = async (session: Session): Promise<void> => {
  const found: { name: string; works: boolean; about: string; reason?: string }[] = []
  for (const { name, about, create } of backendCandidates) {
    try {
      await (await create()).dispose()
      found.push({ name, works: true, about })
    } catch (error) {
      found.push({ name, works: false, about, reason: error instanceof Error ? error.message : String(error) })
    }
  }
  if (session.isJson) session.json({ backends: found })
  else session.write(textTable(['backend', 'works', 'what'], found.map(({ name, works, about, reason }) => [name, works ? 'yes' : 'no', reason ?? about])))
}

export const check = async (session: Session, { backend, filter = '' }: { readonly backend?: string; readonly filter?: string }): Promise<void> => {
  const { name, create } = backend === undefined ? await firstThatStarts() : backendCandidate(backend)
  const cases = conformanceCases().filter((one) => one.name.includes(filter))
  if (cases.length === 0) throw new UsageError(`--filter: no case of the kit contains ${JSON.stringify(filter)}`)
  const failures: { name: string; op?: string; reason: string }[] = []
  const bar = session.bar(`checking ${name}`, 'cases')
  const started = async () => create()
  for (const [index, one] of cases.entries()) {
    await session.turn()
    session.signal.throwIfAborted()
    try {
      await one.run(started)
    } catch (error) {
      failures.push({ name: one.name, ...(one.op === undefined ? {} : { op: one.op }), reason: error instanceof Error ? error.message : String(error) })
    }
    bar.update(index + 1, cases.length, failures.length === 0 ? '' : `${failures.length} failed`)
  }
  bar.end()
  const matrix = (await backendMatrix(started)).map(({ op, via }) => ({
    op,
    via,
    cases: cases.filter((one) => one.op === op).length,
    failed: failures.filter((one) => one.op === op).length,
  }))
  if (session.isJson) session.json({ backend: name, cases: cases.length, failures, operations: matrix })
  else {
    session.write(textTable(['operation', 'runs as', 'cases', 'failed'], matrix.map((row) => [row.op, row.via, row.cases, row.failed])))
    for (const failure of failures) session.print(`${failure.name}: ${failure.reason}`)
    session.print(`${name}: ${cases.length - failures.length} of ${cases.length} cases hold`)
  }
  if (failures.length > 0) throw new WeftError('conformance', `${name}: ${failures.length} of ${cases.length} cases of the conformance kit failed`)
}

const firstThatStarts = async () => {
  for (const candidate of backendCandidates) {
    const backend = await Promise.resolve().then(candidate.create).catch(() => undefined)
    if (backend === undefined) continue
    await backend.dispose()
    return candidate
  }
  throw new WeftError('backend', 'no backend works; `weft backend list` says why')
}
