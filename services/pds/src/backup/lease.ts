import type { ObjectStore } from '@imago/object-store'
import { BackupError } from './backup-error.ts'
import { collect } from './sealed-object.ts'

const LEASES = 'leases/'
/** A holder that has not been heard of for so long is dead. */
export const LEASE_MS = 15 * 60_000
const REFRESH_MS = 60_000
/** A holder that could not make itself heard for so long no longer relies on its lease. */
const RELIABLE_MS = LEASE_MS / 2

/** Who holds a lease, so that others on the same machine can see whether that process still lives. */
export interface LeaseHolder {
  /** The same for processes that can see each other's ids, and for no others. */
  readonly machine: string
  readonly pid: number
}

/** Backups add objects, and there may be several at a time. Whatever removes or founds must be alone. */
export type LeaseKind = 'backup' | 'alone'

export interface Lease extends AsyncDisposable {
  /** @throws {BackupError} `LeaseLost`: what others may have done since then is unknown. */
  assertHeld(): void
}

export interface LeasePorts {
  readonly store: ObjectStore
  readonly holder: LeaseHolder
  readonly isAlive: (pid: number) => boolean
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  readonly randomId: () => string
}

interface LeaseFile {
  readonly kind: LeaseKind
  readonly holder: LeaseHolder
  readonly heardAt: number
}

/**
 * Takes a lease, or finds that somebody is in the way. Each writes its own first and looks for others afterwards: of two
 * that come at once at least one sees the other. Leases of the dead are removed on the way.
 * @returns `undefined` when somebody else's lease is in the way.
 */
export async function takeLease(ports: LeasePorts, kind: LeaseKind): Promise<Lease | undefined> {
  const { store, holder, now, randomId } = ports
  const key = `${LEASES}${randomId()}.json`
  let heardAt = 0
  async function refresh(): Promise<void> {
    const at = now()
    await store.put(key, new TextEncoder().encode(JSON.stringify({ kind, holder, heardAt: at })))
    heardAt = at
  }

  await refresh()
  try {
    if (await isInTheWay(ports, kind, key)) {
      await store.delete(key)
      return undefined
    }
  } catch (error) {
    await store.delete(key).catch(() => {})
    throw error
  }

  let refreshing: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    // One that fails is followed by another; assertHeld tells when there were too many.
    refreshing = refreshing.then(refresh).catch(() => {})
  }, REFRESH_MS)
  timer.unref()
  return {
    assertHeld() {
      const silentMs = now() - heardAt
      if (silentMs > RELIABLE_MS)
        throw new BackupError(
          'LeaseLost',
          `the repository could not be reached, or this process was stopped, for ${Math.round(silentMs / 60_000)} minutes: run it again, and what is there already will not be sent twice`,
        )
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await refreshing
      // One that cannot be given up lapses. What went wrong before matters more.
      await store.delete(key).catch(() => {})
    },
  }
}

async function isInTheWay(ports: LeasePorts, kind: LeaseKind, own: string): Promise<boolean> {
  const { store, holder, isAlive, now } = ports
  let found = false
  for await (const { key } of store.list(LEASES)) {
    if (key === own) continue
    const lease = await readLease(store, key)
    if (lease === undefined) continue
    const isDead =
      now() - lease.heardAt > LEASE_MS ||
      (lease.holder.machine === holder.machine && !isAlive(lease.holder.pid))
    if (isDead) await store.delete(key)
    else if (kind === 'alone' || lease.kind === 'alone') found = true
  }
  return found
}

/** `undefined` when it has been given up meanwhile, or was written by nobody we know. */
async function readLease(store: ObjectStore, key: string): Promise<LeaseFile | undefined> {
  const object = await store.get(key)
  if (object === undefined) return undefined
  try {
    const lease = JSON.parse(new TextDecoder().decode(await collect(object.body))) as LeaseFile
    return typeof lease.heardAt === 'number' && typeof lease.holder?.pid === 'number' ? lease : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
