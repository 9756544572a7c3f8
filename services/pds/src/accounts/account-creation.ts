import { generateKeypair, type Keypair } from '@imago/crypto'
import { createGenesis, tombstoneOperation } from '@imago/identity/plc'
import type { CommitResult } from '@imago/repo'
import type { Did, Handle, TidClock } from '@imago/syntax'
import { accountEvent, commitEvent, entryOf, identityEvent, syncEvent } from '../events/events.ts'
import { faultOfCommit } from '../events/self-check.ts'
import type { PlcClient } from '../identity/plc-client.ts'
import type { Account, AccountConflict, AccountStore } from './account-store.ts'
import { firstCommit, newRepo } from './first-repo.ts'
import type { Passwords } from './password.ts'

/** What someone who signs up has chosen. All of it has been checked. */
export interface SignUp {
  /** Lower case. */
  readonly handle: Handle
  /** Lower case. */
  readonly email: string | undefined
  readonly password: string
  /** A `did:key` that the person keeps, and that outranks ours. */
  readonly recoveryKey: string | undefined
}

export interface AccountCreationPorts {
  readonly accounts: AccountStore
  readonly passwords: Passwords
  readonly plc: PlcClient
  readonly clock: TidClock
  readonly now: () => number
  /** Signs the operations of the accounts of this host. */
  readonly rotationKeypair: Keypair
  /** `did:key`s that outrank it: the operator's own. */
  readonly recoveryKeys: readonly string[]
  /** Public address of this host. */
  readonly publicUrl: string
  /** Told when a DID could not be taken back after its account had failed. */
  readonly onOrphanedDid: (did: Did, error: unknown) => void
}

/** Makes accounts with a new did:plc. */
export interface AccountCreation {
  /**
   * When it resolves with an account, its DID is in the directory, and account, repository and events are durable.
   * Otherwise nothing is left of it: a DID that was made on the way is tombstoned.
   * @throws {PlcClientError} when the directory does not take the DID.
   */
  create(signUp: SignUp): Promise<Account | AccountConflict>
}

export function createAccountCreation(ports: AccountCreationPorts): AccountCreation {
  const { accounts, passwords, plc, clock, now, rotationKeypair, recoveryKeys, publicUrl } = ports

  async function conflictOf({ handle, email }: SignUp): Promise<AccountConflict | undefined> {
    if (await accounts.byHandle(handle)) return 'handle'
    if (email !== undefined && (await accounts.byEmail(email))) return 'email'
    return undefined
  }

  return {
    async create(signUp) {
      const { handle, email, recoveryKey } = signUp
      // The directory keeps what it is told for ever: it is asked last.
      const early = await conflictOf(signUp)
      if (early !== undefined) return early
      const passwordHash = await passwords.hash(signUp.password)
      const signingKeypair = generateKeypair('k256')
      const { did, operation } = createGenesis(
        {
          rotationKeys: [
            ...(recoveryKey === undefined ? [] : [recoveryKey]),
            ...recoveryKeys,
            rotationKeypair.didKey,
          ],
          verificationMethods: { atproto: signingKeypair.didKey },
          alsoKnownAs: [`at://${handle}`],
          services: { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: publicUrl } },
        },
        rotationKeypair,
      )
      const genesis = firstCommit(did, signingKeypair, clock)
      const createdAt = now()
      assertFit(did, genesis, signingKeypair, createdAt)
      await plc.submit(did, operation)

      const takeBack = async () => {
        try {
          await plc.submit(did, tombstoneOperation(operation, rotationKeypair))
        } catch (error) {
          ports.onOrphanedDid(did, error)
        }
      }
      let conflict: AccountConflict | undefined
      try {
        conflict = await accounts.create({
          did,
          handle,
          email,
          passwordHash,
          createdAt,
          repo: newRepo(did, signingKeypair, genesis, undefined),
          events: firstEvents(did, handle, genesis, createdAt),
        })
      } catch (error) {
        await takeBack()
        throw error
      }
      if (conflict === undefined)
        return { did, handle, email, emailConfirmedAt: undefined, createdAt, status: undefined }
      await takeBack()
      return conflict
    },
  }
}

/** No DID is made for a repository that begins with a commit which the network must refuse. */
function assertFit(did: Did, genesis: CommitResult, keypair: Keypair, at: number): void {
  const fault = faultOfCommit(commitEvent(did, genesis, at), undefined, keypair.publicKey, at)
  if (fault !== undefined)
    throw new Error(`the first commit of ${did} does not pass our own checks: ${fault}`)
}

/** In the order that readers of the stream rely on: who it is, that it is served, what it holds, where it stands. */
function firstEvents(did: Did, handle: Handle, genesis: CommitResult, at: number) {
  const { cid, bytes, commit } = genesis.signed
  return [
    identityEvent(did, handle, at),
    accountEvent(did, undefined, at),
    commitEvent(did, genesis, at),
    syncEvent(did, { cid, rev: commit.rev, bytes }, at),
  ].map((event) => entryOf(did, event))
}
