// The reference documents and what the reference filters made of them; where they are absent the tests that need them are skipped.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { TextDocument } from '@weft/contracts'
import { needsShared, readJsonLines, readText } from '@weft/fixtures'
import type { ActiveStep, Step, StepRun, Verdict } from '../src/step.ts'
import { createRandomSource } from '@weft/contracts'
import { memoryScratch } from '@weft/sources'

export const golden = needsShared('golden/curation')
const file = (name: string): string => join(golden.path, name)

export const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex')
export const readGolden = (name: string): unknown => JSON.parse(readText(file(name)))
export const readGoldenLines = <T>(name: string): T[] => readJsonLines(file(name)) as T[]
export const referenceDocuments = (): (TextDocument & { source: string })[] => readGoldenLines('documents.jsonl.gz')
export const fixture = (name: string): unknown => JSON.parse(readText(join(import.meta.dirname, 'fixtures', name)))

export const stepRun = (): StepRun => ({ scratch: memoryScratch(), random: createRandomSource({ seed: 1 }) })
export const start = (step: Step): Promise<ActiveStep> => step.start(stepRun())

/** The verdict of a step that needs no others' company. */
export const judge = async (step: Step, document: TextDocument | string): Promise<Verdict> =>
  (await start(step)).apply(typeof document === 'string' ? { id: 'x', text: document } : document, 0)

export const textAfter = async (step: Step, text: string): Promise<string | undefined> => {
  const verdict = await judge(step, text)
  return 'keep' in verdict ? verdict.keep[0]!.text : undefined
}

export const ruleFor = async (step: Step, text: string): Promise<string | undefined> => {
  const verdict = await judge(step, text)
  return 'drop' in verdict ? verdict.drop.rule : undefined
}
