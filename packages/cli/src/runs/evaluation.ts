// What `weft evaluate …` and `weft compare` do.
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError, FormatError } from '@weft/contracts'
import { compare, describeComparison, describeEvaluation, evaluate, type EvaluationReport, type Task } from '@weft/evaluation'
import { toMarkdown } from '@weft/report'
import { corpusDocuments } from '../corpus.ts'
import { openLanguageModel, type ModelOptions } from '../open-model.ts'
import { writeReport } from '../report-files.ts'
import { UsageError, type Session } from '../session.ts'
import { builtInTasks, namedTask } from '../tasks.ts'
import { textTable } from '../text-table.ts'
import { parseJson } from '../tokenizer-file.ts'

interface RunOptions extends ModelOptions {
  readonly tasks?: readonly string[]
  readonly text?: string
  readonly limit?: number
  readonly fewShot?: number
  readonly seed: number
  readonly out?: string
}

export const run = async (session: Session, options: RunOptions): Promise<void> => {
  const names = options.tasks ?? [options.text === undefined ? 'stereotypes' : 'perplexity']
  const documents = async () => {
    if (options.text === undefined) throw new UsageError('the task perplexity needs held-out text: give it with --text')
    const items = []
    for await (const { id, text } of corpusDocuments(session, options.text)) items.push({ id, text })
    if (items.length === 0) throw new ConfigError(`${options.text}: expected text, got no document`)
    return items
  }
  const tasks: Task[] = []
  for (const name of names) tasks.push(await namedTask(name, documents)) // all of them first: a wrong name costs no waiting
  const { language } = await openLanguageModel(session, options)
  const report = await measure(session, { model: language, tasks, options })
  language.dispose?.()
  if (options.out !== undefined) await writeReport(options.out, report, describeEvaluation(report))
  if (session.isJson) return session.json(report)
  session.write(textTable(['task', 'items', 'score', 'value', '95 % interval'], scoreRows(report)))
  if (options.out !== undefined) session.print(`${options.out}: report.json, report.md, report.html`)
}

const measure = async (session: Session, { model, tasks, options }: { readonly model: Parameters<typeof evaluate>[0]['model']; readonly tasks: readonly Task[]; readonly options: RunOptions }): Promise<EvaluationReport> => {
  const { limit, fewShot, seed } = options
  const bars = new Map<string, ReturnType<Session['bar']>>()
  const settings = { seed, signal: session.signal, ...(limit === undefined ? {} : { limit }), ...(fewShot === undefined ? {} : { numFewShot: fewShot }) }
  for await (const event of evaluate({ model, tasks, ...settings })) {
    await session.turn()
    if (event.kind === 'taskStart') bars.set(event.task, session.bar(event.task, 'requests'))
    if (event.kind === 'progress') bars.get(event.task)?.update(event.done, event.total)
    if (event.kind === 'taskFinished') bars.get(event.task)?.end()
    if (event.kind === 'finished') return event.report
  }
  throw new Error('the evaluation ended without a report')
}

const shown = (value: number | null): string => (value === null ? '–' : Math.abs(value) >= 1e6 ? value.toExponential(3) : value.toFixed(4))

const scoreRows = (report: EvaluationReport): string[][] =>
  Object.values(report.tasks).flatMap(({ name, numItems, metrics }) =>
    Object.entries(metrics).map(([metric, { value, low, high }]) => [name, String(numItems), metric, shown(value), low === null || high === null ? '' : `${shown(low)} … ${shown(high)}`]),
  )

export const list = async (session: Session): Promise<void> => {
  if (session.isJson) session.json({ tasks: builtInTasks.map(({ name, kind, about }) => ({ name, kind, description: about })) })
  else session.write(textTable(['task', 'kind', 'what'], builtInTasks.map(({ name, kind, about }) => [name, kind, about])))
}

/** A task, or a report that was written: what the file says it is decides. */
export const show = async (session: Session, { items: count }: { readonly items: number }, [name = '']: readonly string[]): Promise<void> => {
  const report = await readReport(name).catch(() => undefined)
  if (report !== undefined) return session.isJson ? session.json(report) : session.write(toMarkdown(describeEvaluation(report)))
  const task = await namedTask(name, async () => [{ id: 'example', text: 'Your own text, from --text.' }])
  const items = task.items.slice(0, count)
  if (session.isJson) return session.json({ ...task, items, numItems: task.items.length })
  session.print(`${task.name} (${task.kind}, ${task.items.length} items)`)
  if (task.description !== undefined) session.print(task.description)
  for (const item of items) session.print(JSON.stringify(item, null, 2))
}

/** @throws FormatError for a file that is no report of an evaluation. */
const readReport = async (path: string): Promise<EvaluationReport> => {
  const info = await stat(path).catch(() => undefined)
  const file = info?.isDirectory() === true ? join(path, 'report.json') : path
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ConfigError(`${file}: expected the report.json of an evaluation, it cannot be read`, { cause })
  })
  const report = parseJson(text, file) as EvaluationReport | null
  if (report?.format !== 'weft-evaluation-1') throw new FormatError('expected the report.json of an evaluation (format weft-evaluation-1)', { source: file })
  return report
}

export const compareReports = async (session: Session, { out, seed }: { readonly out?: string; readonly seed: number }, [a = '', b = '']: readonly string[]): Promise<void> => {
  const result = compare(await readReport(a), await readReport(b), { seed })
  if (Object.keys(result.tasks).length === 0) throw new ConfigError(`${a} and ${b}: have no task in common`)
  if (out !== undefined) await writeReport(out, result, describeComparison(result))
  if (session.isJson) return session.json(result)
  const rows = Object.entries(result.tasks).flatMap(([task, { numShared, metrics }]) =>
    Object.entries(metrics).map(([metric, one]) => [task, String(numShared), metric, shown(one.a), shown(one.b), shown(one.difference), one.p === null ? '' : one.p.toFixed(4)]),
  )
  session.print(`a: ${result.modelA}\nb: ${result.modelB}`)
  session.write(textTable(['task', 'items', 'score', 'a', 'b', 'b − a', 'p'], rows))
  if (out !== undefined) session.print(`${out}: report.json, report.md, report.html`)
}
