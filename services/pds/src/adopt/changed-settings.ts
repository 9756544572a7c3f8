import { readConfig } from '../config.ts'
import type { AdoptionFolders } from './adoption-folders.ts'
import type { ReferenceEnvironment } from './reference-environment.ts'
import type { ReferenceLayout } from './reference-layout.ts'

/** What an environment of the reference means there and not here, as settings that make up for it. */
export function changedSettings(
  environment: ReferenceEnvironment,
  layout: ReferenceLayout,
  { dataDirectory, blobsDirectory }: AdoptionFolders,
): Readonly<Record<string, string>> {
  if (environment['PDS_JWT_SECRET'] === undefined) return {}
  const settings: Record<string, string> = {}
  const { config } = readConfig(environment)
  // Sessions are for a DID. Of a server on localhost, theirs leaves the port out.
  const serviceDid = environment['PDS_SERVICE_DID'] ?? `did:web:${environment['PDS_HOSTNAME'] ?? 'localhost'}`
  if (config.serviceDid !== serviceDid) settings['PDS_SERVICE_DID'] = serviceDid
  // There, sign-up is for invited people unless it says otherwise.
  if (!environment['PDS_INVITE_REQUIRED']) settings['PDS_INVITE_REQUIRED'] = 'true'
  if (dataDirectory !== layout.folder) {
    settings['PDS_DATA_DIRECTORY'] = dataDirectory
    settings['PDS_BLOBSTORE_DISK_LOCATION'] = blobsDirectory
  } else if (blobsDirectory !== layout.blobs) settings['PDS_BLOBSTORE_DISK_LOCATION'] = blobsDirectory
  return settings
}
