import { BackupError } from './backup-error.ts'

/** One backup. Everything else in the repository is there because some manifest names it. Times are Unix milliseconds. */
export interface Manifest {
  readonly version: 1
  readonly createdAt: number
  /** Where the world reached the server. */
  readonly publicUrl: string
  readonly accounts: number
  readonly database: {
    readonly bytes: number
    /** Every chunk has so many, but for the last. */
    readonly chunkBytes: number
    /** Chunks that hold the names of the database's chunks, in order. */
    readonly lists: readonly string[]
  }
  readonly blobs: {
    readonly count: number
    readonly bytes: number
    /** Chunks that hold the names of the blobs. */
    readonly lists: readonly string[]
  }
  /** Blobs that the database names and the server had lost. */
  readonly missingBlobs: readonly { readonly did: string; readonly cid: string }[]
  /** The chunk that holds the environment. */
  readonly configuration: string
  /** Settings that are not in it, and that the operator must keep. */
  readonly keepYourself: readonly string[]
  /** The number of the last event. */
  readonly sequence: number
}

/**
 * Where the manifest of a backup lies. Names sort in the order in which backups were made.
 * @param at when it was made, by a clock that was never set back.
 * @param random tells two of the same millisecond apart.
 */
export const manifestKey = (at: number, random: string) =>
  `${MANIFESTS}${new Date(at).toISOString().replaceAll(/[-:]/g, '')}-${random}.json`

export const MANIFESTS = 'backups/'

const KEY = /^backups\/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d\.\d{3})Z-[0-9a-f]+\.json$/

/** The time in a key; `undefined` for what is no manifest's key. */
export function timeOfManifest(key: string): number | undefined {
  const [, year, month, day, hours, minutes, seconds] = KEY.exec(key) ?? []
  return year === undefined
    ? undefined
    : Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`)
}

/**
 * Reads what was authenticated already: only we can have written it.
 * @throws {BackupError} `TooNew`
 */
export function parseManifest(text: string, key: string): Manifest {
  const manifest = JSON.parse(text) as Manifest
  if (manifest.version !== 1)
    throw new BackupError(
      'TooNew',
      `${key} has format ${manifest.version}, and this version of the program knows 1: use the one that wrote it`,
      { key },
    )
  return manifest
}
