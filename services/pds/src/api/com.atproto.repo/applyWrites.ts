import { com } from '@imago/atproto'
import type { BlobRef } from '@imago/data'
import { atUri, type Did } from '@imago/syntax'
import { invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { checkBlobs } from '../../records/check-blobs.ts'
import { InvalidRecordError, prepareRecord } from '../../records/prepare-record.ts'
import { assertSwapCommit } from '../../records/swap.ts'
import type { RecordWrite } from '../../repos/repo-writer.ts'
import { committed } from '../commit-meta.ts'
import { assertOwnRepo } from '../find-repo.ts'
import { MAX_WRITE_BODY_BYTES, MAX_WRITES } from '../limits.ts'
import type { Ports } from '../ports.ts'

type Input = com.atproto.repo.applyWrites.Input
type Result = NonNullable<com.atproto.repo.applyWrites.Output['results']>[number]

/** One write of the batch: what to do, what it refers to, and what to answer. */
interface Step {
  readonly write: RecordWrite
  readonly blobs: readonly BlobRef[]
  readonly result: Result
}

export const applyWrites = ({
  authentication,
  writer,
  findRecordSchema,
  blobIndex,
  clock,
}: Pick<Ports, 'authentication' | 'writer' | 'findRecordSchema' | 'blobIndex' | 'clock'>) =>
  method(
    com.atproto.repo.applyWrites.main,
    { auth: authentication.account(), maxBodyBytes: MAX_WRITE_BODY_BYTES },
    async ({ auth: { account }, input }) => {
      assertOwnRepo(account, input.repo)
      const { did } = account
      if (input.writes.length > MAX_WRITES)
        throw invalidRequest(`${input.writes.length} writes at once, and at most ${MAX_WRITES} are taken`)
      const steps = await Promise.all(
        input.writes.map(async (write, index) => {
          try {
            return await stepOf({ findRecordSchema, clock }, did, write, input.validate)
          } catch (error) {
            if (error instanceof InvalidRecordError)
              throw new InvalidRecordError(`writes/${index}: ${error.message}`, { cause: error })
            throw error
          }
        }),
      )
      for (const { blobs } of steps) await checkBlobs(blobIndex, did, blobs)
      const commit = await writer.write(did, (repo) => {
        assertSwapCommit(repo, input.swapCommit)
        return steps.map(({ write }) => write)
      })
      return { ...committed(commit), results: steps.map(({ result }) => result) }
    },
  )

async function stepOf(
  { findRecordSchema, clock }: Pick<Ports, 'findRecordSchema' | 'clock'>,
  did: Did,
  write: Input['writes'][number],
  validate: boolean | undefined,
): Promise<Step> {
  if (write.$type === 'com.atproto.repo.applyWrites#delete')
    return {
      write: { action: 'delete', path: `${write.collection}/${write.rkey}` },
      blobs: [],
      result: { $type: 'com.atproto.repo.applyWrites#deleteResult' },
    }
  const isCreate = write.$type === 'com.atproto.repo.applyWrites#create'
  const { collection, rkey = clock.next(), value } = write
  const schema = await findRecordSchema(collection, validate)
  const record = prepareRecord(schema, { collection, rkey, value }, validate)
  const { path, block, blobs, subject, validationStatus } = record
  return {
    write: {
      action: isCreate ? 'create' : 'update',
      path,
      block,
      blobs: blobs.map(({ ref }) => ref),
      subject,
    },
    blobs,
    result: {
      $type: `com.atproto.repo.applyWrites#${isCreate ? 'createResult' : 'updateResult'}`,
      uri: atUri(did, collection, rkey),
      cid: block.cid.toString(),
      ...(validationStatus && { validationStatus }),
    },
  }
}
