// What `weft backend …` does.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { WeftError } from '@weft/contracts'
import type { BackendCandidate } from '@weft/tensor'
import { backendMatrix, conformanceCases } from '@weft/tensor/testing'
import { backendCandidate, backendCandidates } from '../backends.ts'
import { textTable } from '../text-table.ts'
import { UsageError, type Session } from '../session.ts'

export const list = async (session: Session): Promise<void> => {
  const found: { name: string; works: boolean; about: string; reason?: string }[] = []
  for (const candidate of backendCandidates) found.push({ ...(await tryCandidate(candidate)), about: candidate.about })
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

/** Compiles in a process of its own: the compiler's output stays apart, and a backend that is loaded already is not replaced under it. */
export const build = async (session: Session, { force = false }: { readonly force?: boolean }): Promise<void> => {
  const script = createRequire(import.meta.url).resolve('@weft/backend-native/build')
  const child = spawn(process.execPath, [script, ...(force ? ['--force'] : [])], { stdio: ['ignore', 'ignore', 'inherit'] })
  const exitCode = await new Promise<number | null>((resolve) => child.on('close', resolve))
  session.signal.throwIfAborted()
  const { name, works, reason } = await tryCandidate(backendCandidate('native'))
  if (exitCode !== 0 || !works) throw new WeftError('backend', reason ?? `the build ended with code ${exitCode}`)
  if (session.isJson) session.json({ backend: name, works })
}

const tryCandidate = async ({ name, create }: BackendCandidate): Promise<{ name: string; works: boolean; reason?: string }> => {
  try {
    await (await create()).dispose()
    return { name, works: true }
  } catch (error) {
    return { name, works: false, reason: error instanceof Error ? error.message : String(error) }
  }
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
