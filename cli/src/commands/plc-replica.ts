import { runService } from './run-service.ts'
import type { AddSubCommand } from './sub-command.ts'

interface Options {
  readonly upstream: string
  readonly logKey?: string
  readonly compareWith: readonly string[]
}

/** `imago plc replica` */
export const addPlcReplica: AddSubCommand = (parent, onExit) => {
  parent
    .command('replica')
    .description(
      'run a replica of another directory: every operation validated again. Settings as of imago plc',
    )
    .requiredOption('--upstream <url>', 'the directory to follow, such as https://plc.directory')
    .option(
      '--log-key <vkey>',
      'key of its log, from its /_health: vouches for order, times and completeness of the snapshot that it starts from',
    )
    .option('--compare-with <url...>', 'others that should tell the same history', [])
    .action(async ({ upstream, logKey, compareWith }: Options) => {
      process.env['PLC_UPSTREAM'] = upstream
      if (logKey !== undefined) process.env['PLC_UPSTREAM_LOG_KEY'] = logKey
      if (compareWith.length > 0) process.env['PLC_COMPARE_WITH'] = compareWith.join(',')
      onExit(await runService('plc'))
    })
}
