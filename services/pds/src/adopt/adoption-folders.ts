import { join, resolve } from 'node:path'
import type { ReferenceEnvironment } from './reference-environment.ts'
import type { ReferenceLayout } from './reference-layout.ts'

/** Where our own files go. */
export interface AdoptionFolders {
  readonly dataDirectory: string
  readonly blobsDirectory: string
}

/** Beside the reference's files unless told otherwise: no name of ours is one of theirs. */
export function adoptionFolders(
  layout: ReferenceLayout,
  environment: ReferenceEnvironment,
  chosen: { readonly dataDirectory?: string | undefined; readonly blobsDirectory?: string | undefined },
): AdoptionFolders {
  const dataDirectory = resolve(chosen.dataDirectory ?? layout.folder)
  const isBeside = dataDirectory === layout.folder && environment['PDS_BLOBSTORE_DISK_LOCATION'] !== undefined
  const blobsDirectory = resolve(
    chosen.blobsDirectory ?? (isBeside ? layout.blobs : join(dataDirectory, 'blobs')),
  )
  return { dataDirectory, blobsDirectory }
}

/** For copies of databases that have to be recovered before they can be read; empty when nothing runs. */
export const scratchFolder = ({ dataDirectory }: Pick<AdoptionFolders, 'dataDirectory'>) =>
  join(dataDirectory, 'adoption-scratch')
