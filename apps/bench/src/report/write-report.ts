// The report as files: report.html (one file, nothing fetched), report.md, and the figures that the latter shows.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SuiteResult } from '../results.ts'
import { describeBench } from './describe-bench.ts'
import { svgFile } from './figure.ts'
import { benchMarkdown } from './markdown.ts'
import { benchHtml } from './page.ts'

/** Writes the files and tells where the page is. Figures of an earlier report that this one has not are removed. */
export const writeReport = (folder: string, results: readonly SuiteResult[]): string => {
  const report = describeBench(results)
  const figures = report.sections.flatMap(({ blocks }) => blocks.flatMap((block) => (block.kind === 'figure' ? [block.figure] : [])))
  const images = join(folder, 'figures')
  rmSync(images, { recursive: true, force: true })
  mkdirSync(images, { recursive: true })
  for (const figure of figures) writeFileSync(join(images, `${figure.name}.svg`), svgFile(figure))
  writeFileSync(join(folder, 'report.md'), benchMarkdown(report))
  const page = join(folder, 'report.html')
  writeFileSync(page, benchHtml(report))
  return page
}
