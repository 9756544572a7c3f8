import { join } from 'node:path'
import type { BlobLocation } from '@imago/pds/backup'
import { type Finding, openBlobInventory, verifyDataDirectory } from '@imago/pds/recovery'

/**
 * What the recovery tool finds wrong with a restored data directory.
 * @param location of its blobs. Default: in the directory.
 */
export async function errorsIn(
  dataDirectory: string,
  location: BlobLocation = { blobsDirectory: join(dataDirectory, 'blobs') },
): Promise<Finding[]> {
  await using blobs = await openBlobInventory(location)
  const findings: Finding[] = []
  for await (const item of verifyDataDirectory({ dataDirectory, blobs, now: Date.now }))
    if (item.type === 'finding' && item.level === 'error') findings.push(item)
  return findings
}
