import { generateKeypair } from '@imago/crypto'
import type { Did, Handle, TidClock } from '@imago/syntax'
import type { Account, AccountConflict, AccountStore } from './account-store.ts'
import { firstCommit, newRepo } from './first-repo.ts'
import type { Passwords } from './password.ts'
import type { ReservedKeys } from './reserved-keys.ts'

/** How long an account that moves in may take over it, before it is removed again. */
export const ARRIVAL_LIFETIME_MS = 3 * 24 * 3_600_000

/** Someone whose DID exists, and who has proven that it is theirs. All of it has been checked. */
export interface Arrival {
  readonly did: Did
  /** Lower case. */
  readonly handle: Handle
  /** Lower case. */
  readonly email: string | undefined
  readonly password: string
  /** The key that the DID document names for the repository: used when it was reserved here. */
  readonly documentKey: string | undefined
}

export interface AccountArrivalPorts {
  readonly accounts: AccountStore
  readonly passwords: Passwords
  readonly reservedKeys: ReservedKeys
  readonly clock: TidClock
  readonly now: () => number
}

/** Accounts that move here from another host. */
export interface AccountArrival {
  /**
   * An account that is deactivated and holds nothing yet; or the one that was deactivated here before, with all that it
   * holds, under the new name and password. The network is told nothing. Asking again begins where one is.
   * @returns the conflict `did` where an account of that DID is here, and not deactivated.
   */
  arrive(arrival: Arrival): Promise<Account | AccountConflict>
}

export function createAccountArrival(ports: AccountArrivalPorts): AccountArrival {
  const { accounts, passwords, reservedKeys, clock, now } = ports
  return {
    async arrive({ did, handle, email, password, documentKey }) {
      const passwordHash = await passwords.hash(password)
      const createdAt = now()
      const deleteAfter = createdAt + ARRIVAL_LIFETIME_MS
      const known = await accounts.get(did)
      if (known !== undefined) {
        const conflict = await accounts.revive({ did, handle, email, passwordHash, deleteAfter })
        return conflict ?? (await accounts.get(did))!
      }
      const keypair = (await reservedKeys.find(did, documentKey)) ?? generateKeypair('k256')
      const conflict = await accounts.create({
        did,
        handle,
        email,
        passwordHash,
        createdAt,
        deleteAfter,
        repo: newRepo(did, keypair, firstCommit(did, keypair, clock), 'deactivated'),
        events: [],
      })
      return conflict ?? (await accounts.get(did))!
    },
  }
}
