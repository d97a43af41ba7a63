// Bars side by side with peers, a group a case. Each group has a scale of its own, since cases differ by orders of magnitude: a bar is
// as long as its share of the longest in its group, and its figure stands beside it.
import { spread } from '../measure.ts'
import type { Measurement } from '../suite.ts'
import { threeFigures, timesBetter } from '../table.ts'
import { composeFigure, escapeXml, fileNameOf, type Figure } from './figure.ts'
import { styleOf } from './subject-style.ts'

const labelWidth = 190
const barWidth = 250
const barHeight = 19
const groupHead = 30

/** The lines of one group from `top` on. */
const groupSvg = (measurements: readonly Measurement[], top: number, ids: readonly string[]): string => {
  const longest = Math.max(...measurements.map(({ value }) => value))
  const [first] = measurements
  const head = `<text x="8" y="${top + 16}" font-weight="600">${escapeXml(first!.case)}</text>`
  const bars = measurements.map((one, i) => {
    const y = top + groupHead + i * barHeight
    const style = styleOf(one.id ?? one.subject, ids)
    const width = longest > 0 ? Math.max(1, (barWidth * one.value) / longest) : 1
    const strayed = one.runs.length > 1 ? ` ±${(100 * spread(one.runs)).toFixed(0)} %` : ''
    const ratio = i === 0 || one.value === 0 ? '' : `, weft ${threeFigures(timesBetter(first!, one))} ×`
    const share = one.share === undefined ? '' : `, ${(100 * one.share.value).toFixed(0)} % of peak`
    return [
      `<text x="${labelWidth - 8}" y="${y}" dy="1em" text-anchor="end">${escapeXml(style.label)}</text>`,
      `<rect x="${labelWidth}" y="${y + 2}" width="${width.toFixed(1)}" height="${barHeight - 4}" rx="2" fill="${style.color}"${style.dash === '' ? '' : ' fill-opacity="0.55"'}/>`,
      `<text x="${(labelWidth + width + 7).toFixed(1)}" y="${y}" dy="1em">${escapeXml(`${threeFigures(one.value)} ${one.unit}`)}<tspan fill-opacity="0.65">${escapeXml(strayed + ratio + share)}</tspan></text>`,
    ].join('')
  })
  const axis = `<path d="M${labelWidth - 0.5} ${top + groupHead - 2}v${measurements.length * barHeight + 4}" stroke="currentColor" stroke-opacity="0.4"/>`
  return head + bars.join('') + axis
}

/** `cases`: measurements case by case, ours first, all of one unit. */
export const barFigure = (suite: string, cases: readonly (readonly Measurement[])[]): Figure => {
  const ids = [...new Set(cases.flat().map(({ id, subject }) => id ?? subject))]
  const { unit, isRate } = cases[0]![0]!
  let top = 0
  const groups = cases.map((group) => {
    const svg = groupSvg(group, top, ids)
    top += groupHead + group.length * barHeight + 12
    return svg
  })
  const title = `${unit}, ${isRate ? 'more is better' : 'less is better'}`
  return composeFigure({ name: fileNameOf(`${suite} ${unit}`), title, description: `${suite}: bars of ${title}` }, groups.join(''), top)
}
