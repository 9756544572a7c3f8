import { DataError } from '@imago/data'
import { IdentityError } from '@imago/identity'
import { CursorError } from '@imago/log'
import { ObjectStoreError } from '@imago/object-store'
import { RepoError } from '@imago/repo'
import { authRequired, invalidRequest, payloadTooLarge, upstreamFailure, XrpcError } from '@imago/xrpc'
import { BlobTooLargeError } from '../blobs/blob-files.ts'
import { BlobRefusedError } from '../blobs/blobs.ts'
import { PlcClientError } from '../identity/plc-client.ts'
import { InvalidImportError } from '../imports/invalid-import-error.ts'
import { BlobMismatchError } from '../records/check-blobs.ts'
import { InvalidRecordError } from '../records/prepare-record.ts'
import { InvalidSwapError } from '../records/swap.ts'
import { RepoWriteError } from '../repos/repo-writer.ts'

/** What the client sees of the errors of the layers below. `undefined`: nobody expected it. */
export function mapError(error: unknown): XrpcError | undefined {
  if (error instanceof InvalidRecordError) return invalidRequest(error.message)
  if (error instanceof InvalidSwapError) return invalidRequest(error.message, 'InvalidSwap')
  if (error instanceof BlobMismatchError) return invalidRequest(error.message, error.code)
  if (error instanceof BlobTooLargeError) return payloadTooLarge(error.maxBytes)
  if (error instanceof InvalidImportError) return invalidRequest(error.message)
  if (error instanceof BlobRefusedError) return invalidRequest(error.message, error.code)
  if (error instanceof ObjectStoreError) return ofStore(error)
  if (error instanceof RepoWriteError) return ofWrite(error)
  if (error instanceof RepoError) return ofRepo(error)
  if (error instanceof CursorError) return invalidRequest(error.message, error.code)
  if (error instanceof PlcClientError) return upstreamFailure(error.message, error)
  if (error instanceof IdentityError) return upstreamFailure(error.message, error)
  if (error instanceof DataError && error.code === 'InvalidCid') return invalidRequest(error.message)
  return undefined
}

function ofWrite(error: RepoWriteError): XrpcError {
  switch (error.code) {
    case 'RepoNotFound':
      return invalidRequest(error.message, 'RepoNotFound')
    case 'NotActive':
      return authRequired(
        error.message,
        error.status === 'deactivated' ? 'AccountDeactivated' : 'AccountTakedown',
      )
    case 'BlobNotFound':
      return invalidRequest(error.message, 'BlobNotFound')
    case 'CommitTooLarge':
      return invalidRequest(error.message)
    case 'Contention':
      return new XrpcError(503, 'NotEnoughResources', error.message)
  }
}

/** What passes by itself, or when the operator makes room: the client may come again. Keys are no business of theirs. */
function ofStore(error: ObjectStoreError): XrpcError | undefined {
  switch (error.code) {
    case 'Unavailable':
      return new XrpcError(503, 'NotEnoughResources', 'the blob store does not answer: try again later')
    case 'Full':
      return new XrpcError(507, 'NotEnoughResources', 'the blob store is full: the operator has to make room')
    default:
      return undefined
  }
}

/** Only what the caller asked for can be wrong here; anything else is our own corruption, and no business of theirs. */
function ofRepo(error: RepoError): XrpcError | undefined {
  switch (error.code) {
    case 'KeyExists':
    case 'KeyAbsent':
    case 'InvalidKey':
      return invalidRequest(error.message)
    case 'LimitExceeded':
      return invalidRequest(error.message)
    default:
      return undefined
  }
}
