// A report of the bench as GitHub-flavoured Markdown; figures are files beside it.
import type { BenchReport, Block } from './describe-bench.ts'
import { cellText } from './page.ts'

/** Everything that Markdown or HTML would read as markup, on one line. */
const escapeMarkdown = (text: string): string =>
  text.replace(/[\\`*_[\]<>|~#&]/g, (character) => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;' })[character] ?? `\\${character}`).replace(/\s+/g, ' ')

const blockMarkdown = (block: Block): string => {
  switch (block.kind) {
    case 'paragraph':
      return escapeMarkdown(block.text)
    case 'list':
      return block.items.map((item) => `- ${escapeMarkdown(item)}`).join('\n')
    case 'table': {
      const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
      const rule = block.columns.map((_, column) => (block.rows.some((row) => typeof row[column] === 'number') ? '---:' : '---'))
      return [line(block.columns.map(escapeMarkdown)), line(rule), ...block.rows.map((row) => line(row.map((cell) => escapeMarkdown(cellText(cell)))))].join('\n')
    }
    case 'figure':
      return `### ${escapeMarkdown(block.figure.title)}\n\n![${block.figure.description.replace(/[[\]]/g, '')}](figures/${block.figure.name}.svg)`
  }
}

export const benchMarkdown = ({ title, sections }: BenchReport): string =>
  `${[`# ${escapeMarkdown(title)}`, ...sections.flatMap((section) => [`## ${escapeMarkdown(section.title)}`, ...section.blocks.map(blockMarkdown)])].join('\n\n')}\n`
