// Hands the conformance kit to a test runner, without importing one.
import { conformanceCases, type ConformanceOptions } from './conformance.ts'
import { fail, type CreateBackend } from './run-case.ts'

export interface TestRunner {
  describe(name: string, body: () => void): unknown
  readonly it: ((name: string, body: () => Promise<void>) => unknown) & { readonly skip?: (name: string, body: () => Promise<void>) => unknown }
}

export interface BackendSuiteOptions extends ConformanceOptions {
  /** Deviations: the whole name of a case, or a pattern for several, each with its reason. */
  readonly skip?: readonly { readonly test: string | RegExp; readonly reason: string }[]
}

type Skip = NonNullable<BackendSuiteOptions['skip']>[number]

export const skipOf = (name: string, skip: readonly Skip[] = []): Skip | undefined => skip.find(({ test }) => (typeof test === 'string' ? test === name : test.test(name)))

/**
 * Hands the kit to a test runner: `describeBackend({ describe, it }, 'mine', createMyBackend)` with vitest, jest or node:test.
 * @throws WeftError when `skip` names a case that does not exist, so that lists of deviations stay true.
 */
export const describeBackend = (runner: TestRunner, name: string, create: CreateBackend, options: BackendSuiteOptions = {}): void => {
  const cases = conformanceCases(options)
  const { describe, it } = runner
  for (const entry of options.skip ?? []) {
    if (!cases.some((one) => skipOf(one.name, [entry]) !== undefined)) fail(`skip: no case is called ${String(entry.test)}`)
  }
  describe(`conformance of ${name}`, () => {
    for (const one of cases) {
      const skipped = skipOf(one.name, options.skip)
      if (skipped === undefined) it(one.name, () => one.run(create))
      else it.skip?.(`${one.name} (${skipped.reason})`, async () => undefined)
    }
  })
}
