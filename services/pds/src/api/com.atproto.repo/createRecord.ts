import { com } from '@imago/atproto'
import { atUri } from '@imago/syntax'
import { method } from '@imago/xrpc/server'
import { checkBlobs } from '../../records/check-blobs.ts'
import { prepareRecord } from '../../records/prepare-record.ts'
import { assertSwapCommit } from '../../records/swap.ts'
import type { Decide } from '../../repos/repo-writer.ts'
import { committed } from '../commit-meta.ts'
import { assertOwnRepo } from '../find-repo.ts'
import { MAX_WRITE_BODY_BYTES } from '../limits.ts'
import type { Ports } from '../ports.ts'

export const createRecord = ({
  authentication,
  writer,
  findRecordSchema,
  blobIndex,
  clock,
}: Pick<Ports, 'authentication' | 'writer' | 'findRecordSchema' | 'blobIndex' | 'clock'>) =>
  method(
    com.atproto.repo.createRecord.main,
    { auth: authentication.account(), maxBodyBytes: MAX_WRITE_BODY_BYTES },
    async ({ auth: { account }, input }) => {
      assertOwnRepo(account, input.repo)
      const { did } = account
      const { collection, rkey = clock.next(), validate } = input
      const schema = await findRecordSchema(collection, validate)
      const record = prepareRecord(schema, { collection, rkey, value: input.record }, validate)
      const { path, block, blobs, subject, validationStatus } = record
      await checkBlobs(blobIndex, did, blobs)
      // Whoever does not want records checked wants them as they are, twice if need be.
      const about = validate === false || subject === undefined ? undefined : { collection, subject }
      const decide: Decide = (repo) => {
        assertSwapCommit(repo, input.swapCommit)
        const replaced = repo.about.filter((other) => other !== path)
        return [
          ...replaced.map((other) => ({ action: 'delete' as const, path: other })),
          { action: 'create', path, block, blobs: blobs.map(({ ref }) => ref), subject },
        ]
      }
      const commit = await writer.write(did, decide, { about })
      return {
        uri: atUri(did, collection, rkey),
        cid: block.cid.toString(),
        ...committed(commit),
        ...(validationStatus && { validationStatus }),
      }
    },
  )
