import { readFileSync } from 'node:fs'
import type { BackupSecret } from '@imago/pds/backup'
import { type Command, Option } from 'commander'
import { CliError, EXIT } from '../cli-error.ts'

export interface BackupSecretOptions {
  readonly passphraseFile?: string
  readonly keyFile?: string
  readonly unencrypted?: boolean
}

const PASSPHRASE_VARIABLE = 'BACKUP_PASSPHRASE'
const MIN_PASSPHRASE_LENGTH = 12

export function addBackupSecretOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--passphrase-file <file>',
        `file with the passphrase that protects the backups (or set ${PASSPHRASE_VARIABLE})`,
      ).conflicts(['keyFile', 'unencrypted']),
    )
    .addOption(
      new Option(
        '--key-file <file>',
        'file with a random key in place of a passphrase, such as openssl rand -hex 32 makes',
      ).conflicts(['passphraseFile', 'unencrypted']),
    )
    .addOption(
      new Option(
        '--unencrypted',
        'no protection: whoever reads the backups has the signing keys of all accounts',
      ).conflicts(['passphraseFile', 'keyFile']),
    )
}

/**
 * What the options and, where they are silent, the environment say.
 * @throws {CliError} usage
 */
export function backupSecretOf(
  { passphraseFile, keyFile, unencrypted }: BackupSecretOptions,
  env: Readonly<Record<string, string | undefined>> = process.env,
): BackupSecret {
  if (unencrypted) return { kind: 'none' }
  if (keyFile !== undefined) {
    const content = read(keyFile)
    const text = content.toString('latin1').trim()
    const isHex = /^([0-9a-f]{2})+$/i.test(text)
    return { kind: 'keyFile', key: isHex ? Uint8Array.fromHex(text) : new Uint8Array(content) }
  }
  const passphrase =
    passphraseFile === undefined ? env[PASSPHRASE_VARIABLE] : read(passphraseFile).toString('utf8').trim()
  if (passphrase === undefined)
    throw new CliError(
      EXIT.usage,
      `nothing says how the backups are protected: give --passphrase-file or --key-file, set ${PASSPHRASE_VARIABLE}, or say --unencrypted`,
    )
  if (passphrase.length < MIN_PASSPHRASE_LENGTH)
    throw new CliError(
      EXIT.usage,
      `the passphrase has ${passphrase.length} characters, and at least ${MIN_PASSPHRASE_LENGTH} are needed`,
    )
  return { kind: 'passphrase', passphrase }
}

function read(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new CliError(EXIT.usage, `${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
}
