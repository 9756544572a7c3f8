import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import type { S3StoreOptions } from '@imago/object-store-s3'
import type { Did } from '@imago/syntax'
import { AdoptError } from './adopt-error.ts'
import { referenceBucket } from './reference-bucket.ts'
import type { ReferenceEnvironment } from './reference-environment.ts'

/** Where the reference PDS keeps what. Every path is absolute. */
export interface ReferenceLayout {
  readonly folder: string
  readonly accountDatabase: string
  readonly sequencerDatabase: string
  /** One folder per account, in folders named by two digits of a hash. */
  readonly actors: string
  /** The bucket of blobs; then the two folders of them say nothing. */
  readonly bucket: S3StoreOptions | undefined
  readonly blobs: string
  readonly temporaryBlobs: string
}

/**
 * Finds the parts of a data directory. Locations that the environment names count where they lead somewhere; those below
 * `PDS_DATA_DIRECTORY` are looked for in `folder`, which may be the same directory by another name (a mounted volume,
 * a backup).
 * @throws {AdoptError} NotFound, naming what is missing; Environment when it names two places for blobs.
 */
export function findReferenceLayout(folder: string, environment: ReferenceEnvironment): ReferenceLayout {
  const root = resolve(folder)
  const locate = (name: string): string | undefined => {
    const value = environment[name]
    return value ? relocated(value, environment['PDS_DATA_DIRECTORY'], root) : undefined
  }
  const first = (what: string, candidates: readonly (string | undefined)[]): string => {
    const found = candidates.find((path) => path !== undefined && existsSync(path))
    if (found !== undefined) return found
    const tried = candidates.filter((path) => path !== undefined)
    throw new AdoptError(
      'NotFound',
      `${root} is no data directory of the reference PDS: ${what} is missing (looked for ${tried.join(', ')})`,
    )
  }
  const blobs = locate('PDS_BLOBSTORE_DISK_LOCATION')
  const known = ['blocks', 'blobs'].map((name) => join(root, name))
  const location = blobs ?? known.find((path) => existsSync(path)) ?? known[0]!
  return {
    folder: root,
    accountDatabase: first('the database of accounts', [
      locate('PDS_ACCOUNT_DB_LOCATION'),
      join(root, 'account.sqlite'),
      join(root, 'accounts.sqlite'),
    ]),
    sequencerDatabase: first('the database of the sequencer', [
      locate('PDS_SEQUENCER_DB_LOCATION'),
      join(root, 'sequencer.sqlite'),
    ]),
    actors: first('the folder of repositories', [locate('PDS_ACTOR_STORE_DIRECTORY'), join(root, 'actors')]),
    bucket: referenceBucket(environment),
    // Made with the first upload: a server without blobs has none.
    blobs: location,
    temporaryBlobs: locate('PDS_BLOBSTORE_DISK_TMP_LOCATION') ?? join(location, 'tempt'),
  }
}

/** A location below the data directory, in the folder that we were given for that; any other as it is. */
function relocated(path: string, dataDirectory: string | undefined, root: string): string {
  const below = dataDirectory === undefined ? undefined : relative(dataDirectory, path)
  if (below !== undefined && !below.startsWith('..') && !isAbsolute(below)) return join(root, below)
  return resolve(root, path)
}

/** The folder of an account. */
export function actorFolder({ actors }: Pick<ReferenceLayout, 'actors'>, did: Did): string {
  return join(actors, createHash('sha256').update(did).digest('hex').slice(0, 2), did)
}

export const actorDatabase = (layout: ReferenceLayout, did: Did) =>
  join(actorFolder(layout, did), 'store.sqlite')
export const actorKey = (layout: ReferenceLayout, did: Did) => join(actorFolder(layout, did), 'key')
export const reservedKeys = ({ actors }: ReferenceLayout) => join(actors, 'reserved_keys')
