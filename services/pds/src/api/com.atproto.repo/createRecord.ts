import { com } from '@imago/atproto'
import { atUri } from '@imago/syntax'
import { method } from '@imago/xrpc/server'
import { checkBlobs } from '../../records/check-blobs.ts'
import { prepareRecord } from '../../records/prepare-record.ts'
import { assertSwapCommit } from '../../records/swap.ts'
import { committed } from '../commit-meta.ts'
import { assertOwnRepo } from '../find-repo.ts'
import { MAX_WRITE_BODY_BYTES } from '../limits.ts'
import type { Ports } from '../ports.ts'

export const createRecord = ({
  authentication,
  writer,
  recordSchemas,
  blobIndex,
  repos,
  clock,
}: Pick<Ports, 'authentication' | 'writer' | 'recordSchemas' | 'blobIndex' | 'repos' | 'clock'>) =>
  method(
    com.atproto.repo.createRecord.main,
    { auth: authentication.account(), maxBodyBytes: MAX_WRITE_BODY_BYTES },
    async ({ auth: { account }, input }) => {
      assertOwnRepo(account, input.repo)
      const { did } = account
      const { collection, rkey = clock.next() } = input
      const record = prepareRecord(recordSchemas, { collection, rkey, value: input.record }, input.validate)
      const { path, block, blobs, subject, validationStatus } = record
      await checkBlobs(blobIndex, did, blobs)
      const earlier =
        subject === undefined || input.validate === false
          ? []
          : await repos.pathsAbout(did, collection, subject)
      const commit = await writer.write(did, (repo) => {
        assertSwapCommit(repo, input.swapCommit)
        const replaced = earlier.filter((other) => other !== path && repo.get(other) !== undefined)
        return [
          ...replaced.map((other) => ({ action: 'delete' as const, path: other })),
          { action: 'create', path, block, blobs: blobs.map(({ ref }) => ref), subject },
        ]
      })
      return {
        uri: atUri(did, collection, rkey),
        cid: block.cid.toString(),
        ...committed(commit),
        ...(validationStatus && { validationStatus }),
      }
    },
  )
