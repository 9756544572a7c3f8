import type { BlobInventory } from '@imago/pds/recovery'
import { ConfigError } from '@imago/service'
import { CliError, EXIT } from '../cli-error.ts'
import { type PdsDataOptions, pdsFoldersOf } from './pds-data-options.ts'

/**
 * The blobs that belong to the data directory of a command: a folder, or the bucket of the server's environment. What is
 * given by hand lies in folders.
 * @throws {CliError} usage, when there is a bucket, and something is wrong with the settings.
 */
export async function openBlobsOf(
  options: PdsDataOptions,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<BlobInventory & AsyncDisposable> {
  const { openBlobInventory } = await import('@imago/pds/recovery')
  const { blobsDirectory } = pdsFoldersOf(options, env)
  const isByHand = options.data !== undefined || options.blobs !== undefined
  if (isByHand || env['PDS_BLOBSTORE_S3_BUCKET'] === undefined) return openBlobInventory({ blobsDirectory })
  const { readConfig } = await import('@imago/pds')
  try {
    return await openBlobInventory(readConfig(env).config)
  } catch (error) {
    if (!(error instanceof ConfigError) && !(error instanceof TypeError)) throw error
    throw new CliError(
      EXIT.usage,
      `${error.message}\nBlobs lie in a bucket: run the tool with the environment of the server.`,
      { cause: error },
    )
  }
}
