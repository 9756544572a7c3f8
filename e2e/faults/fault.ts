import { CALL_FAULTS, type CallFault } from './strace.ts'

/** What can befall a flow: one of its system calls is broken, or the clock is set between two of its steps. */
export type Fault = CallFault | 'clock'

export const FAULTS = [...(Object.keys(CALL_FAULTS) as CallFault[]), 'clock'] as const

/** What befalls every flow, unless something else is asked for. */
export const USUAL_FAULTS = FAULTS.filter((fault) => fault !== 'tear')

/** Names of all calls that can be broken. */
export const CALLS: readonly string[] = [
  ...new Set(Object.values(CALL_FAULTS).flatMap(({ calls }) => calls as readonly string[])),
]
