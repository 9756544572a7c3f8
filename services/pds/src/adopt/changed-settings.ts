import { readConfig } from '../config.ts'
import type { AdoptionFolders } from './adoption-folders.ts'
import type { ReferenceEnvironment } from './reference-environment.ts'
import type { ReferenceLayout } from './reference-layout.ts'

/** What an environment of the reference means there and not here, as settings that make up for it. */
export function changedSettings(
  environment: ReferenceEnvironment,
  layout: ReferenceLayout,
  folders: AdoptionFolders,
): Readonly<Record<string, string>> {
  const settings: Record<string, string> = {}
  const { dataDirectory } = folders
  if (dataDirectory !== layout.folder) settings['PDS_DATA_DIRECTORY'] = dataDirectory
  Object.assign(settings, settingsOfBlobs(environment, layout, folders))
  if (environment['PDS_JWT_SECRET'] === undefined) return settings
  const { config } = readConfig(environment)
  // Sessions are for a DID. Of a server on localhost, theirs leaves the port out.
  const serviceDid = environment['PDS_SERVICE_DID'] ?? `did:web:${environment['PDS_HOSTNAME'] ?? 'localhost'}`
  if (config.serviceDid !== serviceDid) settings['PDS_SERVICE_DID'] = serviceDid
  return settings
}

function settingsOfBlobs(
  environment: ReferenceEnvironment,
  layout: ReferenceLayout,
  { dataDirectory, blobsDirectory, blobsBucket }: AdoptionFolders,
): Readonly<Record<string, string>> {
  if (blobsBucket !== undefined)
    return environment['PDS_BLOBSTORE_S3_PREFIX'] ? {} : { PDS_BLOBSTORE_S3_PREFIX: blobsBucket.prefix }
  const isElsewhere = dataDirectory !== layout.folder || blobsDirectory !== layout.blobs
  if (layout.bucket === undefined) return isElsewhere ? { PDS_BLOBSTORE_DISK_LOCATION: blobsDirectory } : {}
  // Blobs lie in one place: an empty value is none.
  return { PDS_BLOBSTORE_S3_BUCKET: '', PDS_BLOBSTORE_DISK_LOCATION: blobsDirectory }
}
