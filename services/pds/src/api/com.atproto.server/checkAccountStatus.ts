import { com } from '@imago/atproto'
import { method } from '@imago/xrpc/server'
import { PlcClientError } from '../../identity/plc-client.ts'
import { faultOfIdentity } from '../../identity/points-here.ts'
import type { Ports } from '../ports.ts'

/** How far a move has come. While an import is under way, its blocks and records are counted as far as they are in. */
export const checkAccountStatus = ({
  authentication,
  repos,
  accountStatus,
  imports,
  directory,
  plc,
  server,
}: Pick<Ports, 'authentication' | 'repos' | 'accountStatus' | 'imports' | 'directory' | 'plc' | 'server'>) =>
  method(
    com.atproto.server.checkAccountStatus.main,
    { auth: authentication.account({ evenInactive: true }) },
    async ({ auth: { account } }) => {
      const { did, status } = account
      const repo = await repos.open(did)
      const counted = await accountStatus.read(did)
      if (repo === undefined || counted === undefined) throw new Error(`the account ${did} has no repository`)
      const arriving = imports.progress(did)
      return {
        activated: status === undefined,
        validDid: await isValid(did, repo.keypair.didKey, { directory, plc, server }),
        repoCommit: repo.cid.toString(),
        repoRev: repo.rev,
        repoBlocks: arriving?.blocks ?? counted.blocks,
        indexedRecords: arriving?.records ?? counted.records,
        privateStateValues: counted.preferences,
        expectedBlobs: counted.expectedBlobs,
        importedBlobs: counted.presentBlobs,
      }
    },
  )

async function isValid(...question: Parameters<typeof faultOfIdentity>): Promise<boolean> {
  try {
    return (await faultOfIdentity(...question)) === undefined
  } catch (error) {
    // Where it cannot be told, the move is not complete yet.
    if (error instanceof PlcClientError) return false
    throw error
  }
}
