import { com } from '@imago/atproto'
import { atUri } from '@imago/syntax'
import { method } from '@imago/xrpc/server'
import { checkBlobs } from '../../records/check-blobs.ts'
import { prepareRecord } from '../../records/prepare-record.ts'
import { assertSwapCommit, assertSwapRecord } from '../../records/swap.ts'
import { committed } from '../commit-meta.ts'
import { assertOwnRepo } from '../find-repo.ts'
import { MAX_WRITE_BODY_BYTES } from '../limits.ts'
import type { Ports } from '../ports.ts'

export const putRecord = ({
  authentication,
  writer,
  findRecordSchema,
  blobIndex,
}: Pick<Ports, 'authentication' | 'writer' | 'findRecordSchema' | 'blobIndex'>) =>
  method(
    com.atproto.repo.putRecord.main,
    { auth: authentication.account(), maxBodyBytes: MAX_WRITE_BODY_BYTES },
    async ({ auth: { account }, input }) => {
      assertOwnRepo(account, input.repo)
      const { did } = account
      const { collection, rkey, swapCommit, swapRecord } = input
      const schema = await findRecordSchema(collection, input.validate)
      const record = prepareRecord(schema, { collection, rkey, value: input.record }, input.validate)
      const { path, block, blobs, subject, validationStatus } = record
      await checkBlobs(blobIndex, did, blobs)
      const commit = await writer.write(did, (repo) => {
        assertSwapCommit(repo, swapCommit)
        assertSwapRecord(repo, path, swapRecord)
        const found = repo.get(path)
        // A client that retries must not flood the stream with commits that change nothing.
        if (found?.equals(block.cid)) return []
        const action = found === undefined ? 'create' : 'update'
        return [{ action, path, block, blobs: blobs.map(({ ref }) => ref), subject }]
      })
      return {
        uri: atUri(did, collection, rkey),
        cid: block.cid.toString(),
        ...committed(commit),
        ...(validationStatus && { validationStatus }),
      }
    },
  )
