/** What a figure counts. Whether more or less of it is better lies in the unit. */
export type Unit = '/s' | 'MB/s' | 'µs' | 'ms' | 's' | 'MB' | 'kB' | 'B' | 'tiles'

const MORE_IS_BETTER: ReadonlySet<Unit> = new Set(['/s', 'MB/s'])
/** Those that move with the speed of the machine. */
const SCALED_UNITS: ReadonlySet<Unit> = new Set(['/s', 'MB/s', 'µs', 'ms', 's'])

/** What a figure has to reach. Where both are given, both have to hold. */
export interface Bar {
  /** So many times as good as the best peer in the same run. */
  readonly timesPeer?: number
  /** No worse than this, in the row's unit. Says something only about one kind of machine: see {@link Yardstick}. */
  readonly limit?: number
}

/**
 * How fast this machine is, beside the one where limits in seconds or per second were set: told by work that holds no code
 * of ours, measured in turns with the row. A slower machine gets as much more time; a faster one gets no less, since a
 * limit is a promise.
 */
export interface Yardstick {
  /** The work. */
  readonly name: string
  /** Microseconds that it takes here. */
  readonly micros: number
  /** And where limits were set. */
  readonly microsWhereSet: number
}

/**
 * A bar that was shown to be out of reach of any program on this runtime, and what is held to instead. The profile that
 * shows it is in `docs/decisions/`.
 */
export interface Bound {
  /** As {@link Measurement.bar}; a yardstick scales its limit as well. */
  readonly bar: Bar
  /** What stands in the way, in a few words, and where it is shown. */
  readonly by: string
}

/** One bar, and what was measured for it. */
export interface Measurement {
  readonly name: string
  readonly unit: Unit
  readonly ours: number
  /** How far our runs lie apart, as a part of the figure; left out where there was one. */
  readonly spread?: number
  /** Figures of others doing the same work in the same run, by name. */
  readonly peers?: Readonly<Record<string, number>>
  readonly bar: Bar
  readonly bound?: Bound
  /** Scales `bar.limit`, which has to be a time or a rate. */
  readonly yardstick?: Yardstick
  /** What a reader has to know to read the figure: such as the disk's own speed beside durable work. */
  readonly note?: string
}

/** A bar that could not be measured here. */
export interface Missing {
  readonly name: string
  /** What is not here. */
  readonly missing: string
}

export type Row = Measurement | Missing

/**
 * `bound` falls short of its bar, and does what is held to instead. `missing` fails nothing unless everything has to be
 * there: see {@link isFailure}.
 */
export type Verdict = 'ok' | 'bound' | 'short' | 'missing'

/** A row and what comes of it. */
export interface JudgedRow {
  readonly name: string
  readonly verdict: Verdict
  readonly unit?: Unit
  readonly ours?: number
  readonly spread?: number
  readonly peers?: Readonly<Record<string, number>>
  /** The best of the peers. */
  readonly peer?: { readonly name: string; readonly figure: number }
  /** How many times as good as the best peer: above 1 is better, whatever the unit. */
  readonly ratio?: number
  /** As it was set. */
  readonly bar?: Bar
  readonly yardstick?: Yardstick
  /** What the bar's limit comes to on this machine, where a yardstick was measured. */
  readonly scaledLimit?: number
  readonly note?: string
}

/**
 * Compares a row with its bar.
 * @throws {RangeError} when the row has no bar, a bar against peers without a peer, or a figure that is not above zero:
 *   a benchmark that measured nothing must not pass.
 */
export function judgeRow(row: Row): JudgedRow {
  if ('missing' in row) return { name: row.name, verdict: 'missing', note: row.missing }
  const { name, unit, ours, peers = {}, bar, bound } = row
  for (const [who, figure] of Object.entries({ ours, ...peers }))
    if (!(figure > 0 && Number.isFinite(figure)))
      throw new RangeError(`${name}: the figure of ${who} is ${figure}, and has to be above zero`)
  for (const one of [bar, bound?.bar])
    if (one !== undefined && one.limit === undefined && one.timesPeer === undefined)
      throw new RangeError(`${name}: a row has to have a bar, timesPeer or limit`)
  const more = MORE_IS_BETTER.has(unit)
  const best = Object.entries(peers).sort(([, a], [, b]) => (more ? b - a : a - b))[0]
  if (best === undefined && (bar.timesPeer ?? bound?.bar.timesPeer) !== undefined)
    throw new RangeError(`${name}: the bar is against peers, and no peer was measured`)
  const ratio = best && (more ? ours / best[1] : best[1] / ours)
  const holds = (limit: number) => (more ? ours >= limit : ours <= limit)
  const scaled = scaleLimit(row)
  const reaches = ({ limit, timesPeer }: Bar) =>
    (limit === undefined || holds(scaled?.scale(limit) ?? limit)) &&
    (timesPeer === undefined || ratio! >= timesPeer)
  const verdict = reaches(bar) ? 'ok' : bound !== undefined && reaches(bound.bar) ? 'bound' : 'short'
  return {
    ...row,
    verdict,
    ...(best && { peer: { name: best[0], figure: best[1] }, ratio }),
    ...(scaled && { scaledLimit: scaled.scale(bar.limit!) }),
    ...noteOf(
      row.note,
      scaled && `${scaled.reason}: ${holds(bar.limit!) ? 'ok' : 'short'} without`,
      verdict === 'bound' && `held to ${formatBar({ bar: bound!.bar, unit })}: ${bound!.by}`,
    ),
  }
}

function noteOf(...parts: readonly (string | false | undefined)[]): { note?: string } {
  const note = parts.filter(Boolean).join('; ')
  return note === '' ? {} : { note }
}

/** What limits come to on this machine, and why. */
function scaleLimit({
  name,
  unit,
  bar,
  yardstick,
}: Measurement): { scale: (limit: number) => number; reason: string } | undefined {
  if (yardstick === undefined) return undefined
  if (bar.limit === undefined || !SCALED_UNITS.has(unit))
    throw new RangeError(`${name}: a yardstick scales a limit that is a time or a rate, and there is none`)
  const { micros, microsWhereSet } = yardstick
  if (!(micros > 0 && Number.isFinite(micros)))
    throw new RangeError(`${name}: ${yardstick.name} took ${micros} µs, and has to take some time`)
  const factor = Math.max(1, micros / microsWhereSet)
  const here = `${yardstick.name} takes ${formatFigure(micros, 'µs')} here, and ${formatFigure(microsWhereSet, 'µs')} where bars were set`
  return {
    scale: (limit) => (MORE_IS_BETTER.has(unit) ? limit / factor : limit * factor),
    reason: `bar ${formatFigure(bar.limit, unit)} ${MORE_IS_BETTER.has(unit) ? '/' : '×'} ${factor.toFixed(2)} (${here})`,
  }
}

/** Whether a verdict fails the run. With `requireAll`, as in continuous integration, nothing may be missing. */
export function isFailure(verdict: Verdict, requireAll: boolean): boolean {
  return verdict === 'short' || (verdict === 'missing' && requireAll)
}

/** The bar that was held to, as a reader knows it: `≥ 3×`, `≤ 300 µs`. */
export function formatBar({
  bar,
  unit,
  scaledLimit,
}: Pick<JudgedRow, 'bar' | 'unit' | 'scaledLimit'>): string {
  if (bar === undefined || unit === undefined) return ''
  const sign = MORE_IS_BETTER.has(unit) ? '≥' : '≤'
  return [
    bar.timesPeer !== undefined && `≥ ${Number(bar.timesPeer.toFixed(2))}×`,
    bar.limit !== undefined && `${sign} ${formatFigure(scaledLimit ?? bar.limit, unit)}`,
  ]
    .filter((part) => part !== false)
    .join(', ')
}

/** Three digits that mean something, thousands apart: `1,136 /s`, `0.152 ms`. */
export function formatFigure(figure: number, unit: Unit): string {
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(figure)))
  const text = Number(figure.toFixed(decimals)).toLocaleString('en', { maximumFractionDigits: decimals })
  return `${text} ${unit}`
}
