import type { Host } from '../state/state-store.ts'

/** A host as it is told to others. */
export const hostView = ({ hostname, cursor, accountCount, status }: Host) => ({
  hostname,
  ...(cursor > 0 && { seq: cursor }),
  accountCount,
  status,
})
