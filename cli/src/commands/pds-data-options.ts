import { type Command, Option } from 'commander'

/** Options of every tool that works on the data of a PDS. */
export interface PdsDataOptions {
  readonly data?: string
  readonly blobs?: string
}

/** Where the data of a PDS lies. */
export interface PdsFolders {
  readonly dataDirectory: string
  readonly blobsDirectory: string
}

const DEFAULT_DATA_DIRECTORY = './data/pds'

export function addPdsDataOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--data <dir>',
        `data directory (default: PDS_DATA_DIRECTORY, or ${DEFAULT_DATA_DIRECTORY})`,
      ),
    )
    .addOption(
      new Option(
        '--blobs <dir>',
        'folder of blobs (default: PDS_BLOBSTORE_DISK_LOCATION, or blobs in the data directory)',
      ),
    )
}

/**
 * What the options and, where they are silent, the environment say. A data directory that is given by hand has its
 * blobs inside: those of the environment belong to another one.
 */
export function pdsFoldersOf(
  options: PdsDataOptions,
  env: Readonly<Record<string, string | undefined>> = process.env,
): PdsFolders {
  const dataDirectory = options.data ?? env['PDS_DATA_DIRECTORY'] ?? DEFAULT_DATA_DIRECTORY
  const elsewhere =
    options.blobs ?? (options.data === undefined ? env['PDS_BLOBSTORE_DISK_LOCATION'] : undefined)
  return { dataDirectory, blobsDirectory: elsewhere ?? `${dataDirectory}/blobs` }
}
