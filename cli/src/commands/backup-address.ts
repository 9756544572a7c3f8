import { existsSync, mkdirSync } from 'node:fs'
import type { StagingStore } from '@imago/object-store'
import { CliError, EXIT } from '../cli-error.ts'

/** How a place for backups is written, for help texts. */
export const BACKUP_ADDRESS = 'a folder, or s3://bucket/prefix'

export const BACKUP_ADDRESS_HELP = `
An S3 address may name a server: s3://bucket/prefix?endpoint=https://s3.example.com&region=eu-1.
Keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or from where Amazon's tools look for them.`

const OWNER_ONLY = 0o700

/**
 * The store at an address.
 * @param options.mustExist for reading: a folder that is not there is an error rather than made.
 * @throws {CliError} usage
 */
export async function openBackupStore(
  address: string,
  {
    mustExist,
    env = process.env,
  }: { mustExist: boolean; env?: Readonly<Record<string, string | undefined>> },
): Promise<StagingStore & Partial<Disposable>> {
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(address)) {
    if (mustExist && !existsSync(address))
      throw new CliError(EXIT.usage, `there is no folder ${address}: name the one that backups were made to`)
    // What is not encrypted holds the signing keys of all accounts, and what is need not be read by others either.
    if (!mustExist) mkdirSync(address, { recursive: true, mode: OWNER_ONLY })
    const { openFolderStore } = await import('@imago/object-store/folder')
    return openFolderStore({ folder: address })
  }
  const { bucket, prefix, endpoint, region } = parseS3(address)
  const { createS3Store } = await import('@imago/object-store-s3')
  const server = endpoint ?? env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL']
  return createS3Store({
    bucket,
    prefix,
    endpoint: server,
    // Servers other than Amazon's rarely have a host name for each bucket.
    forcePathStyle: server !== undefined,
    ...keysOf(env),
    region: region ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'],
  })
}

/** Lasting keys. Those that come with a session token, or from elsewhere, Amazon's own tools find by themselves. */
function keysOf(env: Readonly<Record<string, string | undefined>>) {
  if (env['AWS_SESSION_TOKEN'] !== undefined) return {}
  return { accessKeyId: env['AWS_ACCESS_KEY_ID'], secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] }
}

/** @throws {CliError} usage */
function parseS3(address: string) {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url?.protocol !== 's3:' || url.hostname === '' || url.username !== '' || url.port !== '')
    throw new CliError(
      EXIT.usage,
      `${address} is no place for backups: write ${BACKUP_ADDRESS}, with credentials in the environment`,
    )
  for (const name of url.searchParams.keys())
    if (name !== 'endpoint' && name !== 'region')
      throw new CliError(EXIT.usage, `${address} says ${name}: only endpoint and region can be said there`)
  const path = url.pathname.replaceAll(/^\/+|\/+$/g, '')
  return {
    bucket: url.hostname,
    prefix: path === '' ? '' : `${path}/`,
    endpoint: url.searchParams.get('endpoint') ?? undefined,
    region: url.searchParams.get('region') ?? undefined,
  }
}
