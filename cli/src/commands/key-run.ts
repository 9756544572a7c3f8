import { writeFileSync } from 'node:fs'
import { generateKeypair, type Keypair } from '@imago/crypto'
import { CliError, EXIT } from '../cli-error.ts'
import { parseKeyFile, writeKeyFile } from '../keys/key-file.ts'
import { splitKey } from '../keys/key-shares.ts'
import { formatWordSheet } from '../keys/key-words.ts'
import { explained, type PassphraseOptions, passphraseOf, readKey, readText } from '../keys/read-key.ts'

/** Nobody but its owner reads it. */
const MODE = 0o600

interface OutputOptions extends PassphraseOptions {
  readonly out: string
  readonly unprotected?: boolean
  readonly json?: boolean
}

export async function generateKey(
  options: OutputOptions & { readonly curve: 'p256' | 'k256' },
): Promise<void> {
  await keep(generateKeypair(options.curve), options)
}

export async function restoreKey(file: string, options: OutputOptions): Promise<void> {
  await keep(await readKey(file, undefined), options)
}

export async function showKey(
  file: string,
  { json = false, ...options }: PassphraseOptions & { json?: boolean },
): Promise<void> {
  const text = readText(file)
  const isFile = text.trimStart().startsWith('{')
  const isProtected = isFile && keyFileOf(file, text).protected !== undefined
  const { didKey, curve } = isProtected ? keyFileOf(file, text) : await readKey(file, passphraseOf(options))
  const kept = isProtected ? 'under a passphrase' : isFile ? 'in the open' : 'as words or shares'
  process.stdout.write(
    json
      ? `${JSON.stringify({ didKey, curve, isProtected })}\n`
      : `${didKey}\ncurve ${curve}, kept ${kept}\n`,
  )
}

export async function printWords(file: string, options: PassphraseOptions): Promise<void> {
  process.stdout.write(formatWordSheet(await readKey(file, passphraseOf(options))))
}

export async function printShares(
  file: string,
  options: PassphraseOptions & { readonly shares: number; readonly threshold: number },
): Promise<void> {
  const { shares, threshold } = options
  if (threshold > shares)
    throw new CliError(
      EXIT.usage,
      `${threshold} of ${shares} shares can never come together: --threshold is at most --shares`,
    )
  const keypair = await readKey(file, passphraseOf(options))
  process.stdout.write(`${(await splitKey(keypair, shares, threshold)).join('\n')}\n`)
}

/** A new file, with an open secret only where that was asked for. */
async function keep(
  keypair: Keypair,
  { out, unprotected = false, json = false, ...options }: OutputOptions,
): Promise<void> {
  const passphrase = unprotected ? undefined : passphraseOf(options)
  if (!unprotected && passphrase === undefined)
    throw new CliError(
      EXIT.usage,
      'nothing says how the key is protected: give --passphrase-file, set KEY_PASSPHRASE, or say --unprotected',
    )
  let text: string
  try {
    text = await writeKeyFile(keypair, passphrase)
  } catch (error) {
    throw explained(out, error)
  }
  try {
    writeFileSync(out, text, { flag: 'wx', mode: MODE, flush: true })
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST'
    throw new CliError(
      EXIT.usage,
      exists
        ? `${out} exists already: a key is never overwritten`
        : `${out} cannot be written: ${(cause as Error).message}`,
      { cause },
    )
  }
  const { didKey, curve } = keypair
  process.stdout.write(
    json ? `${JSON.stringify({ didKey, curve, file: out })}\n` : `${didKey}\nkept in ${out}\n`,
  )
}

function keyFileOf(file: string, text: string) {
  try {
    return parseKeyFile(text)
  } catch (error) {
    throw explained(file, error)
  }
}
