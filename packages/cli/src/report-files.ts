// A report in the three forms that every command writes it in: JSON for machines, Markdown and HTML for people.
import { writeFiles } from '@weft/sources/node'
import type { Report } from '@weft/contracts'
import { toHtml, toMarkdown } from '@weft/report'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

export const jsonBytes = (value: unknown): Uint8Array => bytes(`${JSON.stringify(value, null, 2)}\n`)

/** report.json (the data), report.md and report.html (the description). */
export const reportFiles = (data: unknown, report: Report): Record<string, Uint8Array> => ({
  'report.json': jsonBytes(data),
  'report.md': bytes(toMarkdown(report)),
  'report.html': bytes(toHtml(report)),
})

export const writeReport = (folder: string, data: unknown, report: Report): Promise<void> => writeFiles(folder, reportFiles(data, report))
