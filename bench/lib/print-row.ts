import { styleText } from 'node:util'
import { formatBar, formatFigure, type JudgedRow } from './row.ts'

const WIDTHS = { name: 50, figure: 13, ratio: 8, bar: 12 } as const
/** From here on, a reader should know before believing a figure. */
const NOISY_SPREAD = 0.3
const COLOUR = { ok: 'green', bound: 'cyan', short: 'red', missing: 'yellow' } as const

export function printHeader(group: string): void {
  console.log(
    `\n${group.padEnd(WIDTHS.name)}${'ours'.padStart(WIDTHS.figure)}${'peer'.padStart(WIDTHS.figure)}${'ratio'.padStart(WIDTHS.ratio)}${'bar'.padStart(WIDTHS.bar)}`,
  )
}

/** One line: name, ours, peer, ratio, bar, verdict, and what has to be known besides. */
export function printRow(row: JudgedRow): void {
  const { name, unit, ours, spread, peer, ratio, verdict, note } = row
  const figure = (value: number | undefined) => (value === undefined ? '–' : formatFigure(value, unit!))
  const columns = [
    name.padEnd(WIDTHS.name),
    figure(ours).padStart(WIDTHS.figure),
    figure(peer?.figure).padStart(WIDTHS.figure),
    (ratio === undefined ? '–' : `${ratio.toFixed(2)}×`).padStart(WIDTHS.ratio),
    formatBar(row).padStart(WIDTHS.bar),
  ].join('')
  const noise =
    spread !== undefined && spread > NOISY_SPREAD && `noise: runs ${Math.round(spread * 100)} % apart`
  const remarks = [peer && `against ${peer.name}`, note, noise].filter(Boolean)
  console.log(
    `${columns}  ${styleText(COLOUR[verdict], verdict.padEnd(7))}  ${styleText('dim', remarks.join('; '))}`.trimEnd(),
  )
}
