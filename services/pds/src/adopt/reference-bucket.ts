import type { S3StoreOptions } from '@imago/object-store-s3'
import { AdoptError } from './adopt-error.ts'
import type { ReferenceEnvironment } from './reference-environment.ts'

/**
 * The bucket in which the reference keeps blobs, as its environment names it; `undefined` when they lie on a disk.
 * @throws {AdoptError} Environment when the settings do not fit together.
 */
export function referenceBucket(environment: ReferenceEnvironment): S3StoreOptions | undefined {
  const of = (name: string) => environment[`PDS_BLOBSTORE_${name}`] || undefined
  const bucket = of('S3_BUCKET')
  if (bucket === undefined) return undefined
  const folder = of('DISK_LOCATION')
  if (folder !== undefined)
    throw new AdoptError(
      'Environment',
      `PDS_BLOBSTORE_S3_BUCKET is ${bucket} and PDS_BLOBSTORE_DISK_LOCATION is ${folder}: keep the one that blobs lie in`,
    )
  const [accessKeyId, secretAccessKey] = [of('S3_ACCESS_KEY_ID'), of('S3_SECRET_ACCESS_KEY')]
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined))
    throw new AdoptError(
      'Environment',
      'of PDS_BLOBSTORE_S3_ACCESS_KEY_ID and PDS_BLOBSTORE_S3_SECRET_ACCESS_KEY one is missing: set both, or neither',
    )
  return {
    bucket,
    region: of('S3_REGION'),
    endpoint: of('S3_ENDPOINT'),
    forcePathStyle: ['true', '1'].includes(of('S3_FORCE_PATH_STYLE') ?? ''),
    ...(accessKeyId === undefined ? keysOfTheSystem(environment) : { accessKeyId, secretAccessKey }),
  }
}

/** What the file sets for Amazon's tools does not reach this process; what this process has, they find by themselves. */
function keysOfTheSystem(environment: ReferenceEnvironment) {
  if (environment['AWS_SESSION_TOKEN'] || !environment['AWS_SECRET_ACCESS_KEY']) return {}
  return {
    accessKeyId: environment['AWS_ACCESS_KEY_ID'],
    secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'],
  }
}
