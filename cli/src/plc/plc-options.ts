import { type DidPlc, isDidPlc } from '@imago/identity/plc'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { addPassphraseOption, type PassphraseOptions } from '../keys/read-key.ts'

export interface DirectoryOptions {
  readonly directory: string
  readonly json?: boolean
}

export interface SigningOptions extends DirectoryOptions, PassphraseOptions {
  readonly key: string
  readonly yes?: boolean
}

export const addDirectoryOptions = (command: Command): Command =>
  command
    .addOption(
      new Option('--directory <url>', 'PLC directory')
        .env('PLC_URL')
        .default('https://plc.directory')
        .argParser(addressArgument),
    )
    .option('--json', 'as JSON')

export const addSigningOptions = (command: Command): Command =>
  addPassphraseOption(addDirectoryOptions(command))
    .requiredOption('--key <file>', 'the key to sign with: a key file, words or shares; - for standard input')
    .option('--yes', 'do not ask')

function addressArgument(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text
  throw new InvalidArgumentError('Expected an address such as https://plc.directory.')
}

/** Parses the argument `<did>`. */
export function didPlcArgument(text: string): DidPlc {
  if (!isDidPlc(text))
    throw new InvalidArgumentError('Expected a DID such as did:plc:ewvi7nxzyoun6zhxrhs64oiz.')
  return text
}
