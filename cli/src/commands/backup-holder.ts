import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { LeaseHolder } from '@imago/pds/backup'

/** This process, as others on the same machine can recognise it. */
export function thisHolder(): LeaseHolder {
  // Containers share a kernel, and may share a name: the same process id means the same process only in one namespace.
  const about = [
    () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    () => readlinkSync('/proc/self/ns/pid'),
  ].map((read) => {
    try {
      return read()
    } catch {
      return 'unknown'
    }
  })
  return { machine: [hostname(), ...about].join(' '), pid: process.pid }
}

/** Whether a process of this machine lives. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Somebody else's process lives as well.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
