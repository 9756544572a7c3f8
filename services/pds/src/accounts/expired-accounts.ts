import type { Blobs } from '../blobs/blobs.ts'
import { accountEvent, entryOf } from '../events/events.ts'
import type { AccountStore } from './account-store.ts'

const PAGE = 100

/**
 * Removes deactivated accounts whose time is over: those that asked for it, and those that began to move in and never
 * came. Returns how many went.
 */
export async function removeExpiredAccounts(ports: {
  accounts: Pick<AccountStore, 'listExpired' | 'remove'>
  blobs: Pick<Blobs, 'removeAll'>
  now: () => number
}): Promise<number> {
  const { accounts, blobs, now } = ports
  let removed = 0
  for (;;) {
    const before = now()
    const page = await accounts.listExpired(before, PAGE)
    for (const { did, isUnknown } of page) {
      // Of one that was never active here, the network must not hear that it is gone: it lives elsewhere.
      const events = isUnknown ? [] : [entryOf(did, accountEvent(did, 'deleted', now()))]
      // Removing the blobs of those before it takes time, in which its owner may have come back.
      if (!(await accounts.remove(did, events, before))) continue
      await blobs.removeAll(did)
      removed++
    }
    if (page.length < PAGE) return removed
  }
}
