import { readFileSync } from 'node:fs'
import { KeyError, type Keypair } from '@imago/crypto'
import { type Command, Option } from 'commander'
import { CliError, EXIT } from '../cli-error.ts'
import { KeyFormError } from './key-error.ts'
import { openKeyFile, parseKeyFile } from './key-file.ts'
import { combineShares } from './key-shares.ts'
import { parseWordSheet } from './key-words.ts'

const PASSPHRASE_VARIABLE = 'KEY_PASSPHRASE'

export interface PassphraseOptions {
  readonly passphraseFile?: string
}

export const addPassphraseOption = (command: Command): Command =>
  command.addOption(
    new Option(
      '--passphrase-file <file>',
      `file with the passphrase of the key (or set ${PASSPHRASE_VARIABLE})`,
    ),
  )

/** The passphrase that was given, if one was. */
export function passphraseOf(
  { passphraseFile }: PassphraseOptions,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  return passphraseFile === undefined ? env[PASSPHRASE_VARIABLE] : readText(passphraseFile).trim()
}

/**
 * A key in whatever form a person keeps it: a key file, a sheet of words, or shares, one on each line. `-` reads
 * standard input.
 * @throws {CliError} usage
 */
export async function readKey(file: string, passphrase: string | undefined): Promise<Keypair> {
  const text = readText(file)
  try {
    if (text.trimStart().startsWith('{')) return await openKeyFile(parseKeyFile(text), passphrase)
    const lines = text.split('\n').filter((line) => line.trim() !== '')
    if (lines[0]?.trim().toLowerCase().startsWith('imago-share-')) return await combineShares(lines)
    return parseWordSheet(text)
  } catch (error) {
    throw explained(file, error)
  }
}

/** What a person can mend, said of their file. */
export function explained(file: string, error: unknown): unknown {
  if (!(error instanceof KeyFormError) && !(error instanceof KeyError)) return error
  return new CliError(EXIT.usage, `${file === '-' ? 'standard input' : file}: ${error.message}`, {
    cause: error,
  })
}

export function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (cause) {
    throw new CliError(EXIT.usage, `${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
}
