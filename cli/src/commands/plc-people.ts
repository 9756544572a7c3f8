import type { DidPlc } from '@imago/identity/plc'
import { InvalidArgumentError } from 'commander'
import {
  addDirectoryOptions,
  addSigningOptions,
  type DirectoryOptions,
  didPlcArgument,
  type SigningOptions,
} from '../plc/plc-options.ts'
import type { AddSubCommand } from './sub-command.ts'

const EXIT_CODES =
  '\nExit codes: 0 done; 1 the directory refused or did not answer, or nothing was found; 2 wrong command line, key or answer.'

const load = () => import('./plc-people-run.ts')

/** `imago plc history` */
export const addPlcHistory: AddSubCommand = (parent) => {
  addDirectoryOptions(parent.command('history'))
    .description('tell how a DID came to be what it is: who changed what, and what was undone and why')
    .argument('<did>', '', didPlcArgument)
    .addHelpText('after', EXIT_CODES)
    .action(async (did: DidPlc, options: DirectoryOptions) => (await load()).history(did, options))
}

/** `imago plc verify` */
export const addPlcVerify: AddSubCommand = (parent) => {
  addDirectoryOptions(parent.command('verify'))
    .description('check every hash, signature, rank and time in the history of a DID')
    .argument('<did>', '', didPlcArgument)
    .option('--file <file>', 'the history as /log/audit answers it, in place of asking the directory')
    .addHelpText('after', EXIT_CODES)
    .action(async (did: DidPlc, options: DirectoryOptions & { file?: string }) =>
      (await load()).verify(did, options),
    )
}

/** `imago plc add-key` */
export const addPlcAddKey: AddSubCommand = (parent) => {
  addSigningOptions(parent.command('add-key'))
    .description('add a rotation key of your own, above all others')
    .argument('<did>', '', didPlcArgument)
    .argument('<did-key>', 'the public key to add, as imago key generate prints it')
    .option('--last', 'below all others')
    .addHelpText('after', EXIT_CODES)
    .action(async (did: DidPlc, added: string, options: SigningOptions & { last?: boolean }) =>
      (await load()).addKey(did, added, options),
    )
}

/** `imago plc remove-key` */
export const addPlcRemoveKey: AddSubCommand = (parent) => {
  addSigningOptions(parent.command('remove-key'))
    .description('remove a rotation key')
    .argument('<did>', '', didPlcArgument)
    .argument('<did-key>', 'the public key to remove')
    .addHelpText('after', EXIT_CODES)
    .action(async (did: DidPlc, removed: string, options: SigningOptions) =>
      (await load()).removeKey(did, removed, options),
    )
}

/** `imago plc sign` */
export const addPlcSign: AddSubCommand = (parent) => {
  addSigningOptions(parent.command('sign'))
    .description('sign an operation and print it, without submitting it')
    .argument('<did>', '', didPlcArgument)
    .requiredOption(
      '--changes <file>',
      'JSON with what is to change: rotationKeys, verificationMethods, alsoKnownAs, services',
    )
    .option('--after <cid>', 'the operation to follow. Default: the last one')
    .addHelpText('after', EXIT_CODES)
    .action(async (did: DidPlc, options: SigningOptions & { changes: string; after?: string }) =>
      (await load()).sign(did, options),
    )
}

/** `imago plc submit` */
export const addPlcSubmit: AddSubCommand = (parent) => {
  addDirectoryOptions(parent.command('submit'))
    .description('submit an operation that was signed before')
    .argument('<did>', '', didPlcArgument)
    .argument('<file>', 'the operation as JSON; - for standard input')
    .option('--yes', 'do not ask')
    .addHelpText('after', EXIT_CODES)
    .action(async (did: DidPlc, file: string, options: DirectoryOptions & { yes?: boolean }) =>
      (await load()).submit(did, file, options),
    )
}

/** `imago plc tombstone` */
export const addPlcTombstone: AddSubCommand = (parent) => {
  addSigningOptions(parent.command('tombstone'))
    .description('end a DID, for good after 72 hours')
    .argument('<did>', '', didPlcArgument)
    .addHelpText('after', EXIT_CODES)
    .action(async (did: DidPlc, options: SigningOptions) => (await load()).tombstone(did, options))
}

/** `imago plc recover` */
export const addPlcRecover: AddSubCommand = (parent, onExit) => {
  addSigningOptions(parent.command('recover'))
    .description('undo what a weaker key did in the last 72 hours')
    .argument('<did>', '', didPlcArgument)
    .option('--undo <cid>', 'the first operation to undo, with all that followed it')
    .option('--dry-run', 'say what could be undone, and for how long')
    .addHelpText('after', EXIT_CODES)
    .action(async (did: DidPlc, options: SigningOptions & { undo?: string; dryRun?: boolean }) =>
      onExit(await (await load()).recover(did, options)),
    )
}

/** `imago plc drill` */
export const addPlcDrill: AddSubCommand = (parent, onExit) => {
  addSigningOptions(parent.command('drill'))
    .description('see that a key you keep could save the DID: signs here, judges here, sends nothing')
    .argument('<did>', '', didPlcArgument)
    .addHelpText('after', EXIT_CODES)
    .action(async (did: DidPlc, options: SigningOptions) => onExit(await (await load()).drill(did, options)))
}

/** `imago plc watch` */
export const addPlcWatch: AddSubCommand = (parent, onExit) => {
  addDirectoryOptions(parent.command('watch'))
    .description('tell every change of DIDs as it comes, and how long it can be undone')
    .argument('<did...>', '', (text: string, all: DidPlc[] = []) => [...all, didPlcArgument(text)])
    .option('--every <seconds>', 'ask so often', seconds, 60)
    .addHelpText('after', EXIT_CODES)
    .action(async (dids: DidPlc[], options: DirectoryOptions & { every: number }) =>
      onExit(await (await load()).watch(dids, options)),
    )
}

function seconds(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text))
    throw new InvalidArgumentError('Expected a number of seconds, such as 60.')
  return Number(text)
}
