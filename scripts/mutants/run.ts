import { type Mutant, titleOf } from './mutant.ts'
import { openWorkshop, packageOf } from './workshop.ts'

export interface Score {
  readonly killed: number
  /** Titles of those that no test noticed. */
  readonly survivors: readonly string[]
}

export interface Run {
  /** Default: 2. */
  readonly jobs?: number
  /** Whether to see first that the tests pass without a bug. Default: true. */
  readonly checkHealth?: boolean
  readonly print?: (line: string) => void
}

/**
 * Tries each mutant, `jobs` at a time, each job in a copy of its own.
 * @throws {Error} when a mutant's text is not where it should be, or when tests fail without a bug.
 */
export async function tryMutants(
  mutants: readonly Mutant[],
  { jobs = 2, checkHealth = true, print = () => {} }: Run = {},
): Promise<Score> {
  const waiting = [...mutants]
  const survivors: string[] = []
  let healthy: Promise<void> | undefined
  const work = async () => {
    using workshop = openWorkshop()
    for (const mutant of mutants) workshop.checkText(mutant)
    healthy ??= checkHealth ? workshop.checkHealthy(mutants.map(packageOf)) : Promise.resolve()
    await healthy
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const outcome = await workshop.try(mutant)
      if (outcome.kind === 'survived') survivors.push(titleOf(mutant))
      print(`${outcome.kind.padEnd(8)} ${titleOf(mutant)}${'by' in outcome ? `  ← ${outcome.by}` : ''}`)
    }
  }
  const stopAll = (error: unknown) => {
    waiting.length = 0
    throw error
  }
  // All have to end before an error is told: each takes its copy away.
  const ends = await Promise.allSettled(
    Array.from({ length: Math.min(jobs, mutants.length) }, () => work().catch(stopAll)),
  )
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return { killed: mutants.length - survivors.length, survivors }
}
