// The report as files: report.html (one file, nothing fetched), report.md, and the figures that the latter shows.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Section } from '@weft/contracts'
import { toHtml, toMarkdown } from '@weft/report'
import type { SuiteResult } from '../results.ts'
import { describeBench, type BenchReport, type Block } from './describe-bench.ts'
import { escapeXml, svgFile, type Figure } from './figure.ts'

/** Writes the files and tells where the page is. */
export const writeReport = (folder: string, results: readonly SuiteResult[]): string => {
  const report = describeBench(results)
  mkdirSync(folder, { recursive: true })
  const figures = figuresOf(report)
  const names = new Set(figures.map(({ name }) => `${name}.svg`))
  for (const file of readdirSync(folder)) if (file.endsWith('.svg') && !names.has(file)) rmSync(join(folder, file))
  for (const figure of figures) writeFileSync(join(folder, `${figure.name}.svg`), svgFile(figure))
  writeFileSync(join(folder, 'report.md'), benchMarkdown(report))
  const page = join(folder, 'report.html')
  writeFileSync(page, benchHtml(report))
  return page
}

const figuresOf = ({ sections }: BenchReport): Figure[] => sections.flatMap(({ blocks }) => blocks.flatMap((block) => (block.kind === 'figure' ? [block.figure] : [])))

/** The sections of @weft/report; `figure` says what stands in for a figure, as Markdown. */
const reportSections = (report: BenchReport, figure: (figure: Figure) => string): Section[] => {
  const section = (block: Block): Section =>
    block.kind === 'figure' ? { kind: 'text', markdown: figure(block.figure) } : block
  return report.sections.flatMap(({ title, blocks }) => blocks.map((block, i) => (i === 0 ? { title, ...section(block) } : section(block))))
}

export const benchMarkdown = (report: BenchReport): string =>
  toMarkdown({ title: report.title, sections: reportSections(report, ({ name, description }) => `![${description.replace(/[[\]]/g, '')}](${name}.svg)`) })

// @weft/report escapes what it is given, images too. A figure's place is held by a line that no figure or text can contain, since text
// from outside has its brackets escaped there; the image is put in afterwards.
const place = (name: string): string => `figure ⟦${name}⟧`

export const benchHtml = (report: BenchReport): string => {
  const figures = new Map(figuresOf(report).map((figure) => [figure.name, figure]))
  const page = toHtml({ title: report.title, sections: reportSections(report, ({ name }) => place(name)) })
  return page.replace(/<p>figure ⟦([a-z0-9-]+)⟧<\/p>/g, (whole, name: string) => {
    const figure = figures.get(name)
    return figure === undefined ? whole : `<figure><div class="scroll">${figure.svg}</div><figcaption class="note">${escapeXml(figure.description)}</figcaption></figure>`
  })
}
