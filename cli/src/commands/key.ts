import { type Command, InvalidArgumentError, Option } from 'commander'
import { addPassphraseOption, type PassphraseOptions } from '../keys/read-key.ts'

interface Common extends PassphraseOptions {
  readonly json?: boolean
}

const HELP = `
A key is kept in a file, under a passphrase or not; on paper, as 24 words; or in parts, of which some make it again.
Every command that takes a key file takes the other two forms, too; - reads standard input.
P-256 is the curve of browsers, security keys and smart cards; K-256 is that of most servers.
Exit codes: 0 done; 2 wrong command line, key or passphrase.`

/** `imago key`: keys that people hold themselves. */
export function addKeyCommands(program: Command): void {
  const key = program
    .command('key')
    .description('make and keep keys of your own: the ones that outrank your host')
    .addHelpText('after', HELP)

  const withOutput = (command: Command) =>
    addPassphraseOption(command)
      .requiredOption('--out <file>', 'where the key is kept; never overwritten')
      .option('--unprotected', 'without a passphrase: whoever reads the file has the key')
      .option('--json', 'as JSON')

  withOutput(key.command('generate'))
    .description('make a new key')
    .addOption(new Option('--curve <curve>', 'its curve').choices(['p256', 'k256']).default('p256'))
    .action(async (options: Common & { out: string; curve: 'p256' | 'k256'; unprotected?: boolean }) => {
      const { generateKey } = await import('./key-run.ts')
      await generateKey(options)
    })

  addPassphraseOption(key.command('show'))
    .description('say the public key, and how the file keeps the secret one')
    .argument('<file>')
    .option('--json', 'as JSON')
    .action(async (file: string, options: Common) => {
      const { showKey } = await import('./key-run.ts')
      await showKey(file, options)
    })

  addPassphraseOption(key.command('words'))
    .description('print the key as 24 words, for paper')
    .argument('<file>')
    .action(async (file: string, options: Common) => {
      const { printWords } = await import('./key-run.ts')
      await printWords(file, options)
    })

  addPassphraseOption(key.command('split'))
    .description('print the key in parts, of which some make it again')
    .argument('<file>')
    .option('--shares <n>', 'parts', number, 3)
    .option('--threshold <n>', 'how many of them are needed', number, 2)
    .action(async (file: string, options: Common & { shares: number; threshold: number }) => {
      const { printShares } = await import('./key-run.ts')
      await printShares(file, options)
    })

  withOutput(key.command('restore'))
    .description('make a key file again, from words or shares')
    .argument('<file>', 'the words or shares; - for standard input')
    .action(async (file: string, options: Common & { out: string; unprotected?: boolean }) => {
      const { restoreKey } = await import('./key-run.ts')
      await restoreKey(file, options)
    })
}

function number(text: string): number {
  if (!/^([2-9]|1[0-6])$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 2 to 16.')
  return Number(text)
}
