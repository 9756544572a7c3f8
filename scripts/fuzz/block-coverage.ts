import { type Profiler, Session } from 'node:inspector'

/** Which blocks of the code under test have run, as V8 counts them. */
export interface BlockCoverage {
  /** Blocks seen to run. */
  readonly reached: ReadonlySet<string>
  /** Blocks that did run since the last call and never before. They are not yet among {@link reached}. */
  fresh(): Set<string>
  keep(blocks: Iterable<string>): void
  stop(): void
}

interface Unreached {
  readonly start: number
  readonly end: number
  readonly key: string
}

/**
 * Starts counting in this thread: only what is loaded from now on is counted block by block.
 * V8 reports a block only where its count differs from that of the block around it. What counts here as a block is
 * therefore a function, or a range that was once seen not to run when its surroundings did.
 * @param known blocks that an earlier thread has seen to run.
 */
export function startBlockCoverage(
  isUnderTest: (url: string) => boolean,
  known: Iterable<string>,
): BlockCoverage {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  const reached = new Set(known)
  const unreached = new Map<string, Map<string, Unreached>>()

  function inFunction(script: string, { ranges }: Profiler.FunctionCoverage, fresh: Set<string>): void {
    const body = ranges[0]!
    if (body.count === 0) return
    const name = `${script}:${body.startOffset}`
    if (!reached.has(name)) fresh.add(name)
    const idle = ranges.filter((range) => range.count === 0)
    let unreachedHere = unreached.get(name)
    for (const { start, end, key } of unreachedHere?.values() ?? [])
      if (!idle.some((range) => range.startOffset <= start && end <= range.endOffset)) fresh.add(key)
    for (const { startOffset: start, endOffset: end } of idle) {
      const key = `${name}:${start}-${end}`
      if (reached.has(key)) continue
      if (unreachedHere === undefined) unreached.set(name, (unreachedHere = new Map()))
      unreachedHere.set(key, { start, end, key })
    }
  }

  return {
    reached,
    fresh() {
      const fresh = new Set<string>()
      session.post('Profiler.takePreciseCoverage', (error, coverage) => {
        if (error !== null) throw new Error(`V8 gave no coverage: ${error.message}`)
        for (const { url, functions } of coverage.result)
          if (isUnderTest(url))
            for (const coverageOfFunction of functions) inFunction(url, coverageOfFunction, fresh)
      })
      return fresh
    },
    keep(blocks) {
      for (const key of blocks) {
        reached.add(key)
        unreached.get(key.slice(0, key.lastIndexOf(':')))?.delete(key)
      }
    },
    stop() {
      session.post('Profiler.stopPreciseCoverage')
      session.disconnect()
    },
  }
}
