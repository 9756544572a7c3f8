import type { AddSubCommand } from './sub-command.ts'

interface Options {
  readonly env?: string
  readonly data?: string
  readonly blobs?: string
  readonly dryRun?: boolean
  readonly verify?: boolean
  readonly json?: boolean
}

const EXIT_CODES = `
Exit codes: 0 all of it is there; 1 something is not, and named; 2 nothing was done: the message says why.`

/** `imago pds adopt DIR` */
export const addPdsAdopt: AddSubCommand = (parent, onExit) => {
  parent
    .command('adopt')
    .argument('<dir>', 'data directory of the reference PDS, which must be stopped')
    .description('take over the accounts of a reference PDS; its files are read, and never written')
    .option('--env <file>', 'its environment file (default: pds.env in its data directory)')
    .option('--data <dir>', 'where our database goes (default: the same directory)')
    .option(
      '--blobs <dir>',
      'folder for blobs (default: beside those of the reference, in its folder or bucket)',
    )
    .option('--dry-run', 'check everything, and write nothing')
    .option('--verify', 'compare what was taken over with its source, account by account')
    .option('--json', 'the result as JSON')
    .addHelpText('after', EXIT_CODES)
    .action(async (dir: string, options: Options) => {
      const run = await import('./pds-adopt-run.ts')
      const { env: environmentFile, data: dataDirectory, blobs: blobsDirectory, dryRun } = options
      const common = {
        source: dir,
        environmentFile,
        dataDirectory,
        blobsDirectory,
        json: options.json === true,
      }
      onExit(options.verify ? await run.verify(common) : await run.adopt({ ...common, dryRun }))
    })
}

/** `imago pds hand-back DIR` */
export const addPdsHandBack: AddSubCommand = (parent, onExit) => {
  parent
    .command('hand-back')
    .argument('<dir>', 'data directory of the reference PDS that accounts were taken over from')
    .description('write what has changed since into the files of the reference PDS, so that it can go on')
    .option('--env <file>', 'its environment file (default: pds.env in its data directory)')
    .option('--data <dir>', 'where our database lies (default: the same directory)')
    .option(
      '--blobs <dir>',
      'folder of our blobs (default: beside those of the reference, in its folder or bucket)',
    )
    .option('--dry-run', 'say what would be written, and write nothing')
    .option('--json', 'the result as JSON')
    .addHelpText('after', EXIT_CODES)
    .action(async (dir: string, options: Options) => {
      const run = await import('./pds-adopt-run.ts')
      const { env: environmentFile, data: dataDirectory, blobs: blobsDirectory, dryRun } = options
      onExit(
        await run.handBack({
          source: dir,
          environmentFile,
          dataDirectory,
          blobsDirectory,
          dryRun,
          json: options.json === true,
        }),
      )
    })
}
