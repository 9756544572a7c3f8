import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { CliError, EXIT, type ExitCode } from './cli-error.ts'
import { addKeyCommands } from './commands/key.ts'
import { PDS_TOOLS } from './commands/pds-tools.ts'
import { PLC_TOOLS } from './commands/plc-tools.ts'
import type { AddSubCommand } from './commands/sub-command.ts'
import { SERVICES, type ServiceName } from './services.ts'
import { VERSION } from './version.ts'

const EXIT_CODES = `
Exit codes: ${EXIT.ok} done or stopped in order; ${EXIT.failed} could not start or stop; ${EXIT.usage} wrong command line or settings; ${EXIT.portInUse} imago up: a port is in use.`

/** What else than running it can be done with a service: `imago <service> <tool>`. */
const TOOLS: Partial<Record<ServiceName, readonly AddSubCommand[]>> = { pds: PDS_TOOLS, plc: PLC_TOOLS }

/** Where text goes. */
export interface Output {
  writeOut(text: string): void
  writeErr(text: string): void
}

const STANDARD_OUTPUT: Output = {
  writeOut: (text) => process.stdout.write(text),
  writeErr: (text) => process.stderr.write(text),
}

/**
 * Runs one `imago` command, to its end or until it is told to stop. What it needs is loaded only then, so that
 * `imago --help` does not wait for five services.
 * @param args without the names of the runtime and the script.
 * @param output where help and complaints go. What a command itself prints goes to standard output.
 * @returns what the process should exit with. Errors that a user can mend have been printed.
 */
export async function runCommandLine(
  args: readonly string[],
  output: Output = STANDARD_OUTPUT,
): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok
  const program = createProgram(output, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has said by then what is wrong, and ends `--help` this way, too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    if (error instanceof CliError) {
      output.writeErr(`${error.message}\n`)
      return error.exitCode
    }
    throw error
  }
}

function createProgram(output: Output, onExit: (code: ExitCode) => void): Command {
  const program = new Command('imago')
    .description('The AT Protocol: a development network in one command, and each of its services alone.')
    .version(VERSION, '-V, --version', 'print the version')
    .showSuggestionAfterError()
    .addHelpText('after', EXIT_CODES)
    .configureOutput(output)
    .exitOverride()

  const up = program
    .command('up')
    .description('run a whole network on this machine: PLC directory, PDS, relay, Jetstream, console')
    .option('--fresh', 'begin anew: remove what earlier runs kept')
    .option('--port-offset <n>', 'add this number to every port', portOffset, 0)
    .addHelpText('after', EXIT_CODES)
    .action(async (options: { fresh?: boolean; portOffset: number }) => {
      const { beginWithFewArenas } = await import('./commands/few-arenas.ts')
      beginWithFewArenas()
      const { up } = await import('./commands/up.ts')
      onExit(await up({ fresh: options.fresh === true, portOffset: options.portOffset }))
    })
  addConfigCommand(up, 'up')

  for (const [name, service] of Object.entries(SERVICES) as [ServiceName, (typeof SERVICES)[ServiceName]][]) {
    const command = program
      .command(name)
      .description(`run ${service.description} from its environment`)
      .action(async (_options, { args }: Command) => {
        const [unknown] = args
        if (unknown !== undefined) command.error(`error: unknown command '${unknown}' of imago ${name}`)
        const { runService } = await import('./commands/run-service.ts')
        onExit(await runService(name))
      })
    addConfigCommand(command, name)
    for (const addTool of TOOLS[name] ?? []) addTool(command, onExit)
    // What is left over is the name of a command that there is not, and is said to be. Not so for the commands above.
    command.allowExcessArguments()
  }
  addKeyCommands(program)
  pointToHelp(program, 'imago')
  return program
}

/** Whoever goes wrong is shown to the help of the very command, which is in one place: `--help`. */
function pointToHelp(command: Command, path: string): void {
  command.helpCommand(false)
  command.showHelpAfterError(
    `Run ${path} --help for ${command.commands.length > 0 ? 'the commands' : 'what it takes'}.`,
  )
  for (const one of command.commands) pointToHelp(one, `${path} ${one.name()}`)
}

function addConfigCommand(parent: Command, name: ServiceName | 'up'): void {
  parent
    .command('config')
    .description('print every setting, its default and its meaning')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const { showConfig } = await import('./commands/show-config.ts')
      await showConfig(name, { json: options.json === true })
    })
}

/** The highest of our ports is 6008, and ports end at 65535. */
const MAX_PORT_OFFSET = 59_000

function portOffset(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(value <= MAX_PORT_OFFSET))
    throw new InvalidArgumentError(`Expected a whole number from 0 to ${MAX_PORT_OFFSET}, such as 1000.`)
  return value
}
