import { EXIT } from '../cli-error.ts'
import { openBlobsOf } from './pds-blobs.ts'
import { addPdsDataOptions, type PdsDataOptions, pdsFoldersOf } from './pds-data-options.ts'
import { didOption, reportFindings } from './pds-findings.ts'
import type { AddSubCommand } from './sub-command.ts'

interface Options extends PdsDataOptions {
  readonly did?: `did:${string}:${string}`
  readonly json?: boolean
  readonly quick?: boolean
}

/** `imago pds verify` */
export const addPdsVerify: AddSubCommand = (parent, onExit) => {
  addPdsDataOptions(parent.command('verify'))
    .description(
      'check every account, repository, key, blob and event against each other; the server may run',
    )
    .option('--did <did>', 'this account only', didOption)
    .option('--quick', 'compare the sizes of blobs instead of reading them, and leave indexes unread')
    .option('--json', 'one JSON object on each line')
    .addHelpText('after', '\nExit codes: 0 all is well; 1 something is wrong; 2 could not look.')
    .action(async (options: Options) => {
      const { verifyDataDirectory } = await import('@imago/pds/recovery')
      await using blobs = await openBlobsOf(options)
      const { errors } = await reportFindings(
        verifyDataDirectory({
          dataDirectory: pdsFoldersOf(options).dataDirectory,
          blobs,
          did: options.did,
          quick: options.quick === true,
          now: Date.now,
        }),
        { json: options.json === true },
      )
      onExit(errors === 0 ? EXIT.ok : EXIT.failed)
    })
}
