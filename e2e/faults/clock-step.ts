const HOUR_MS = 3_600_000

/** A clock that is set while a flow plays. */
export interface ClockStep {
  /** Right before this step of the flow, from 0. */
  readonly before: number
  readonly ms: number
}

/** The variable by which the driver is told, as JSON. */
export const CLOCK_STEP = 'FAULTS_CLOCK_STEP'

/** An hour forth and an hour back, before each step of a flow. */
export const clockSteps = (steps: number): ClockStep[] =>
  Array.from({ length: steps }, (_, before) => [HOUR_MS, -HOUR_MS].map((ms) => ({ before, ms }))).flat()

/** The step that the environment asks for. */
export function wantedClockStep(): ClockStep | undefined {
  const wanted = process.env[CLOCK_STEP]
  return wanted === undefined ? undefined : (JSON.parse(wanted) as ClockStep)
}
