import { join, resolve } from 'node:path'
import type { S3StoreOptions } from '@imago/object-store-s3'
import type { ReferenceEnvironment } from './reference-environment.ts'
import type { ReferenceLayout } from './reference-layout.ts'

/** Where our own files go. */
export interface AdoptionFolders {
  readonly dataDirectory: string
  /** Of blobs, unless they lie in a bucket. */
  readonly blobsDirectory: string
  /** The bucket of the reference, with a prefix of our own. */
  readonly blobsBucket: (S3StoreOptions & { readonly prefix: string }) | undefined
}

/** What keeps our objects apart from the reference's in its bucket: it may be gone back to. */
const PREFIX = 'imago/'

/** Beside the reference's files unless told otherwise: no name of ours is one of theirs. */
export function adoptionFolders(
  layout: ReferenceLayout,
  environment: ReferenceEnvironment,
  chosen: { readonly dataDirectory?: string | undefined; readonly blobsDirectory?: string | undefined },
): AdoptionFolders {
  const { bucket } = layout
  const dataDirectory = resolve(chosen.dataDirectory ?? layout.folder)
  const isBeside = dataDirectory === layout.folder && !!environment['PDS_BLOBSTORE_DISK_LOCATION']
  const blobsDirectory = resolve(
    chosen.blobsDirectory ?? (isBeside ? layout.blobs : join(dataDirectory, 'blobs')),
  )
  const isInBucket = bucket !== undefined && chosen.blobsDirectory === undefined
  const prefix = environment['PDS_BLOBSTORE_S3_PREFIX'] || PREFIX
  return { dataDirectory, blobsDirectory, blobsBucket: isInBucket ? { ...bucket, prefix } : undefined }
}

/** For copies of databases that have to be recovered before they can be read; empty when nothing runs. */
export const scratchFolder = ({ dataDirectory }: Pick<AdoptionFolders, 'dataDirectory'>) =>
  join(dataDirectory, 'adoption-scratch')
