import { EXIT } from '../cli-error.ts'
import { openBlobsOf } from './pds-blobs.ts'
import { addPdsDataOptions, type PdsDataOptions, pdsFoldersOf } from './pds-data-options.ts'
import { didOption, reportFindings } from './pds-findings.ts'
import type { AddSubCommand } from './sub-command.ts'

interface Options extends PdsDataOptions {
  readonly did?: `did:${string}:${string}`
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** `imago pds rebuild` */
export const addPdsRebuild: AddSubCommand = (parent, onExit) => {
  addPdsDataOptions(parent.command('rebuild'))
    .description(
      'mend what verify finds: make again what follows from records and files; the server must be stopped',
    )
    .option('--did <did>', 'this account only', didOption)
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--json', 'one JSON object on each line')
    .addHelpText(
      'after',
      '\nNothing is deleted: what cannot be explained is moved to quarantine/ in the data directory.\nExit codes: 0 all is well now (with --dry-run: would be); 1 something is lost, and was named; 2 could not begin.',
    )
    .action(async (options: Options) => {
      const { rebuildDataDirectory } = await import('@imago/pds/recovery')
      await using blobs = await openBlobsOf(options)
      const { errors } = await reportFindings(
        rebuildDataDirectory({
          dataDirectory: pdsFoldersOf(options).dataDirectory,
          blobs,
          did: options.did,
          dryRun: options.dryRun === true,
          now: Date.now,
        }),
        { json: options.json === true },
      )
      onExit(errors === 0 ? EXIT.ok : EXIT.failed)
    })
}
