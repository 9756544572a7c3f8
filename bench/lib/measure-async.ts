import { type Figure, summarize } from './figure.ts'

/** Work that waits: for promises, never for the outside. */
export type AsyncWork = () => unknown

/**
 * As `measure`, for work that takes milliseconds or more and may return a promise: each run is one call, in µs of
 * processor time.
 */
export async function measureAsync<Name extends string>(
  candidates: Readonly<Record<Name, AsyncWork>>,
  { runs = 7, warmUps = 3 }: { readonly runs?: number; readonly warmUps?: number } = {},
): Promise<Record<Name, Figure>> {
  const lanes = Object.entries<AsyncWork>(candidates).map(([name, work]) => ({
    name,
    work,
    runs: [] as number[],
  }))
  for (let run = -warmUps; run < runs; run++)
    for (const lane of lanes) {
      globalThis.gc?.()
      const before = process.cpuUsage()
      await lane.work()
      const { user, system } = process.cpuUsage(before)
      if (run >= 0) lane.runs.push(user + system)
    }
  return Object.fromEntries(lanes.map(({ name, runs }) => [name, summarize(runs)])) as Record<Name, Figure>
}
