import { type PublicKey, tryParseDidKey } from '@imago/crypto'
import { type Directory, IdentityError } from '@imago/identity'
import { type Commit, verifyCommitSignature } from '@imago/repo'
import type { Did } from '@imago/syntax'
import { type PlcClient, PlcClientError } from '../identity/plc-client.ts'

/** Who signed the newest commit of a repository from elsewhere. */
export type CommitSigner =
  /** The key that the DID document names. */
  | 'current'
  /** The key that this host signs with. */
  | 'own'
  /** A key that the document named in former times, as the directory remembers. */
  | 'former'
  /** Nobody can tell: the directory does not answer, or keeps no history of such a DID. */
  | 'unverifiable'
  /** Nobody who ever spoke for the DID. */
  | 'stranger'

/**
 * Finds out whose signature a commit has.
 *
 * The document alone does not decide: someone whose host is gone has changed the key before the import, and someone who
 * imports again may have been through the move already. So the directory's history counts as well; and where there is
 * none, the signature proves nothing that the session of the account does not prove better.
 */
export async function signerOf(
  commit: Commit,
  ports: {
    own: PublicKey
    directory: Pick<Directory, 'resolveDid'>
    plc: Pick<PlcClient, 'signingKeys'>
  },
): Promise<CommitSigner> {
  const { did } = commit
  if (verifyCommitSignature(commit, ports.own)) return 'own'
  const current = await documentKey(did, ports.directory)
  if (current !== undefined && verifyCommitSignature(commit, current)) return 'current'
  if (!did.startsWith('did:plc:')) return 'unverifiable'
  try {
    const former = await ports.plc.signingKeys(did)
    const isOneOf = former.some((text) => {
      const key = tryParseDidKey(text)
      return key !== undefined && verifyCommitSignature(commit, key)
    })
    return isOneOf ? 'former' : 'stranger'
  } catch (error) {
    if (error instanceof PlcClientError) return 'unverifiable'
    throw error
  }
}

async function documentKey(
  did: Did,
  directory: Pick<Directory, 'resolveDid'>,
): Promise<PublicKey | undefined> {
  try {
    return (await directory.resolveDid(did, { refresh: true })).signingKey
  } catch (error) {
    if (error instanceof IdentityError) return undefined
    throw error
  }
}
