import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { AdoptError } from './adopt-error.ts'

/** Variables of the reference PDS: its settings and secrets. */
export type ReferenceEnvironment = Readonly<Record<string, string | undefined>>

/** Sign-up is for invited people there, unless this says a clear no. */
export const takesInvitedOnly = (environment: ReferenceEnvironment): boolean =>
  !['false', '0'].includes(environment['PDS_INVITE_REQUIRED'] ?? '')

/** Where the installer puts it. */
const ENVIRONMENT_FILE = 'pds.env'

/**
 * The environment that the reference ran with: of a file that is named, else of `pds.env` in its folder, else of the
 * process.
 * @throws {AdoptError} Environment when the named file cannot be read.
 */
export function readReferenceEnvironment(
  folder: string,
  file: string | undefined,
  processEnvironment: ReferenceEnvironment,
): { environment: ReferenceEnvironment; file: string | undefined } {
  const path = file ?? join(folder, ENVIRONMENT_FILE)
  if (file === undefined && !existsSync(path)) return { environment: processEnvironment, file: undefined }
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new AdoptError(
      'Environment',
      `the environment file ${path} cannot be read: ${(cause as Error).message}`,
      {
        cause,
      },
    )
  }
  return { environment: parseEnv(text), file: path }
}
