// A report of the bench as one HTML file that needs nothing else: inline style, figures as SVG, no script, light or dark as the
// reader's system is set.
import type { BenchReport, Block } from './describe-bench.ts'
import { escapeXml } from './figure.ts'
import { darkHues, lightHues } from './subject-style.ts'

const variables = (hues: readonly string[]): string => hues.map((color, i) => `--series-${i}: ${color};`).join(' ')

const style = `
:root { color-scheme: light dark; --ground: #f6f7f9; --card: #fff; --ink: #1b2430; --soft: #5a6675; --line: #dfe3e9; --stripe: #f3f5f8; --accent: #2563c9; --good: #0b7a53; --bad: #b3261e; ${variables(lightHues)} }
@media (prefers-color-scheme: dark) { :root { --ground: #0f1319; --card: #171d26; --ink: #e6eaf0; --soft: #9aa6b5; --line: #2b3442; --stripe: #1d2530; --accent: #7fb0ff; --good: #4fd0a2; --bad: #ff8a80; ${variables(darkHues)} } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.page { max-width: 60rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: clamp(1.6rem, 5vw, 2.2rem); line-height: 1.2; letter-spacing: -0.02em; margin: 0 0 .75rem; }
h2 { font-size: 1.25rem; margin: 0 0 .6rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 .5rem; }
nav { display: flex; flex-wrap: wrap; gap: .4rem; margin: 0 0 1.5rem; }
nav a { padding: .15rem .7rem; border: 1px solid var(--line); border-radius: 1rem; background: var(--card); font-size: .85rem; text-decoration: none; color: var(--accent); }
section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.1rem 1.25rem; margin: 0 0 1rem; }
p, ul { margin: 0 0 .8rem; }
ul { padding-left: 1.2rem; color: var(--soft); font-size: .9rem; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin: 0 0 .8rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { padding: .35rem .6rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); white-space: nowrap; }
tr.start td { border-top: 1px solid var(--soft); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.good { color: var(--good); font-weight: 600; white-space: nowrap; }
.bad { color: var(--bad); font-weight: 600; white-space: nowrap; }
figure { margin: 0 0 1rem; }
figure svg { display: block; width: 100%; height: auto; min-width: 34rem; }
details { margin: 1rem 0 .5rem; }
summary { cursor: pointer; width: fit-content; color: var(--accent); font-size: .9rem; margin: 0 0 .6rem; }
@media (max-width: 40rem) { .page { padding: 1.25rem .6rem 3rem; } section { padding: .9rem; } }
@media print { body { background: none; } nav { display: none; } figure { break-inside: avoid; } }
`

type Table = Extract<Block, { kind: 'table' }>

const isNumeric = ({ rows }: Table, column: number): boolean =>
  rows.some((row) => typeof row[column] === 'number') && rows.every((row) => row[column] === null || typeof row[column] === 'number')

/** At most three figures, more where the number has them before the point. */
export const cellText = (cell: string | number | null): string => {
  if (cell === null) return ''
  if (typeof cell === 'string') return cell
  return Math.abs(cell) >= 100 ? cell.toFixed(0) : String(Number(cell.toPrecision(3)))
}

const verdictClass = (cell: string | number | null): string => (cell === '✓ met' ? ' class="good"' : cell === '✗ missed' ? ' class="bad"' : '')

const tableHtml = (table: Table): string => {
  const number = table.columns.map((_, column) => isNumeric(table, column))
  const head = table.columns.map((name, column) => `<th scope="col"${number[column] === true ? ' class="number"' : ''}>${escapeXml(name)}</th>`).join('')
  const rows = table.rows.map((row) => {
    const cells = row.map((cell, column) => `<td${number[column] === true ? ' class="number"' : verdictClass(cell)}>${escapeXml(cellText(cell))}</td>`)
    return `<tr${table.isLong === true && row[0] !== '' ? ' class="start"' : ''}>${cells.join('')}</tr>`
  })
  const html = `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`
  return table.isLong === true ? `<details><summary>All figures</summary>${html}</details>` : html
}

const blockHtml = (block: Block): string => {
  switch (block.kind) {
    case 'paragraph':
      return `<p>${escapeXml(block.text)}</p>`
    case 'list':
      return `<ul>${block.items.map((item) => `<li>${escapeXml(item)}</li>`).join('')}</ul>`
    case 'table':
      return tableHtml(block)
    case 'figure':
      return `<figure><h3>${escapeXml(block.figure.title)}</h3><div class="scroll">${block.figure.svg}</div></figure>`
  }
}

export const benchHtml = ({ title, sections }: BenchReport): string => {
  const links = sections.map((section, i) => `<a href="#section-${i + 1}">${escapeXml(section.title)}</a>`).join('')
  const bodies = sections.map((section, i) => `<section id="section-${i + 1}"><h2>${escapeXml(section.title)}</h2>${section.blocks.map(blockHtml).join('')}</section>`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeXml(title)}</title>
<style>${style}</style>
</head>
<body>
<div class="page">
<h1>${escapeXml(title)}</h1>
<nav aria-label="Contents">${links}</nav>
<main>
${bodies.join('\n')}
</main>
</div>
</body>
</html>
`
}
