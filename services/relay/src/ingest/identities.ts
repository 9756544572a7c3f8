import { type DidIdentity, type Directory, type Identity, IdentityError } from '@imago/identity'
import { createSlots } from '@imago/service'
import { createRateLimit } from '@imago/sync'
import type { Did } from '@imago/syntax'

/** What one host's events make the relay ask about identities. */
export interface Identities {
  /** `undefined` when it cannot be had. */
  of(did: Did): Promise<DidIdentity | undefined>
  /** As the directory says it now; `undefined` also when it was asked too lately. */
  afresh(did: Did): Promise<DidIdentity | undefined>
  /** Asked anew, with its handle verified. `ended` is a DID that its owner ended. */
  withHandle(did: Did): Promise<Identity | 'ended' | undefined>
}

const REFRESH_INTERVAL_MS = 60_000

/**
 * One account is asked for anew no more than once a minute, whichever host gives the occasion.
 * @param options.hostConcurrency questions for one host at a time.
 */
export function createIdentities(options: {
  directory: Pick<Directory, 'resolve' | 'resolveDid'>
  now: () => number
  hostConcurrency: number
}): { forHost(): Identities } {
  const { directory, now, hostConcurrency } = options
  const mayRefresh = createRateLimit(REFRESH_INTERVAL_MS, now)
  return {
    forHost() {
      const slots = createSlots(hostConcurrency)
      const ask = <T>(question: () => Promise<T>): Promise<T | IdentityError> =>
        slots.run(async () => {
          try {
            return await question()
          } catch (error) {
            if (error instanceof IdentityError) return error
            throw error
          }
        })
      const known = <T>(answer: T | IdentityError) => (answer instanceof IdentityError ? undefined : answer)
      return {
        of: async (did) => known(await ask(() => directory.resolveDid(did))),
        afresh: async (did) =>
          mayRefresh(did) ? known(await ask(() => directory.resolveDid(did, { refresh: true }))) : undefined,
        async withHandle(did) {
          const answer = await ask(() => directory.resolve(did, { refresh: true }))
          if (answer instanceof IdentityError && answer.code === 'DidDeactivated') return 'ended'
          return known(answer)
        },
      }
    },
  }
}

/** Name and port of the host in a DID document; `undefined` while the document is not known. */
export function pdsHostOf(identity: DidIdentity | undefined): string | undefined {
  if (identity === undefined) return undefined
  // A document without a PDS names no host that could speak for the account.
  return identity.pds === undefined ? 'no PDS' : new URL(identity.pds).host
}
