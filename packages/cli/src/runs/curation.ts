// What `weft curate`, `weft audit` and `weft augment` do.
import { readFile, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { auditBias, counterfactualAugment, curate, describeAudit, describeCuration, summarizeCuration, type Step } from '@weft/curation'
import { blocklist, c4Quality, exactDeduplicate, fineWebQuality, fixUnicode, gopherQuality, gopherRepetition, minHashDeduplicate, redactPersonalData } from '@weft/curation/steps'
import { toMarkdown } from '@weft/report'
import { folderScratch } from '@weft/sources/node'
import { corpusDocuments, decisionsFile, keptFile, type ReadingOptions } from '../corpus.ts'
import { jsonLinesSink } from '../json-lines-sink.ts'
import { writeReport } from '../report-files.ts'
import { UsageError, type Session } from '../session.ts'
import { textTable } from '../text-table.ts'

const stepFactories: Readonly<Record<string, () => Step>> = {
  'fix-unicode': fixUnicode,
  'gopher-quality': gopherQuality,
  'gopher-repetition': gopherRepetition,
  'c4-quality': c4Quality,
  'fineweb-quality': fineWebQuality,
  blocklist,
  'exact-deduplicate': exactDeduplicate,
  'min-hash-deduplicate': minHashDeduplicate,
  'redact-personal-data': redactPersonalData,
}

const defaultSteps = ['fix-unicode', 'gopher-quality', 'gopher-repetition', 'exact-deduplicate', 'min-hash-deduplicate', 'redact-personal-data']

/** Names as on the command line; gopher, c4 and fineweb alone mean their quality rules. */
const stepsFor = async (names: readonly string[], blocklistFile: string | undefined): Promise<Step[]> => {
  const words = blocklistFile === undefined ? undefined : (await readFile(blocklistFile, 'utf8')).split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== '')
  return names.map((name) => {
    const known = stepFactories[name] === undefined ? `${name}-quality` : name
    const factory = stepFactories[known]
    if (factory === undefined) throw new UsageError(`--steps: expected names out of ${Object.keys(stepFactories).join(', ')}, got ${name}`)
    return known === 'blocklist' && words !== undefined ? blocklist({ words }) : factory()
  })
}

interface CurateOptions extends ReadingOptions {
  readonly out: string
  readonly steps?: readonly string[]
  readonly blocklist?: string
  readonly seed: number
}

export const curateCorpus = async (session: Session, options: CurateOptions, [input = '']: readonly string[]): Promise<void> => {
  const names = options.steps ?? (options.blocklist === undefined ? defaultSteps : [...defaultSteps, 'blocklist'])
  const steps = await stepsFor(names, options.blocklist)
  const summary = summarizeCuration()
  const scratch = await folderScratch()
  const [kept, decisions] = [await jsonLinesSink(join(options.out, keptFile)), await jsonLinesSink(join(options.out, decisionsFile))]
  try {
    for await (const item of curate({ documents: corpusDocuments(session, input, options), steps, scratch, seed: options.seed, signal: session.signal })) {
      summary.add(item)
      await decisions.write({ id: item.document.id, ...item.decision })
      if (item.decision.kept) await kept.write(item.document)
    }
    await kept.commit()
    await decisions.commit()
  } catch (error) {
    await kept.abort()
    await decisions.abort()
    await rmdir(options.out).catch(() => undefined) // only if it is empty: made for this run
    throw error
  } finally {
    await scratch.dispose()
  }
  const result = summary.summary()
  await writeReport(options.out, result, describeCuration(result))
  if (session.isJson) return session.json(result)
  if (result.drops.length > 0) session.write(textTable(['dropped by', 'documents'], result.drops.map(({ rule, step, documents }) => [`${step}: ${rule ?? ''}`, documents])))
  session.print(`${result.kept.documents} of ${result.documents} documents kept, ${result.kept.edited} of them edited`)
  session.print(`${options.out}: ${keptFile}, ${decisionsFile}, report.html`)
}

interface AuditOptions extends ReadingOptions {
  readonly out?: string
  readonly by?: string
  readonly window: number
}

export const audit = async (session: Session, options: AuditOptions, [input = '']: readonly string[]): Promise<void> => {
  const { by, window, out, ...reading } = options
  const result = await auditBias(corpusDocuments(session, input, reading), { windowSize: window, signal: session.signal, ...(by === undefined ? {} : { by }) })
  const report = describeAudit(result)
  if (out !== undefined) await writeReport(out, result, report)
  if (session.isJson) return session.json(result)
  if (out === undefined) return session.write(toMarkdown(report))
  const rows = result.families.flatMap(({ name, groups }) => groups.filter(({ mentions }) => mentions > 0).map((group) => [name, group.name, group.mentions, group.share.value === null ? '–' : group.share.value.toFixed(3)]))
  session.write(textTable(['family', 'group', 'mentions', 'share'], rows))
  session.print(`${out}: report.html`)
}

interface AugmentOptions extends ReadingOptions {
  readonly out: string
  readonly mode: string
  readonly namePair?: readonly string[]
}

export const augment = async (session: Session, options: AugmentOptions, [input = '']: readonly string[]): Promise<void> => {
  const { mode, out, namePair = [], ...reading } = options
  if (mode !== 'both' && mode !== 'replace') throw new UsageError(`--mode: expected both or replace, got ${mode}`)
  const step = counterfactualAugment({ mode, names: namePair.map(parsePair) })
  const sink = await jsonLinesSink(out)
  let [documents, swapped] = [0, 0]
  try {
    for await (const { document, decision } of curate({ documents: corpusDocuments(session, input, reading), steps: [step], signal: session.signal })) {
      documents++
      if (decision.kept && decision.edits.length > 0) swapped++
      await sink.write(document)
    }
    await sink.commit()
  } catch (error) {
    await sink.abort()
    throw error
  }
  if (session.isJson) session.json({ documents, swapped, file: out })
  else session.print(`${out}: ${documents} documents, ${swapped} of them with the genders swapped`)
}

const parsePair = (text: string): [string, string] => {
  const [a, b, ...rest] = text.split('=')
  if (a === undefined || a === '' || b === undefined || b === '' || rest.length > 0) throw new UsageError(`--name-pair: expected two names such as Mary=John, got ${text}`)
  return [a, b]
}
