import type { ChildProcess } from 'node:child_process'

/** Ends a child with this process: a run that is broken off leaves nothing running. */
export function killAtExit(child: ChildProcess): void {
  const kill = () => child.kill('SIGKILL')
  // Before what clears away the files that it writes.
  process.prependOnceListener('exit', kill)
  child.once('exit', () => process.off('exit', kill))
}
