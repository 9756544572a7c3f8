import { runService } from './run-service.ts'
import type { AddSubCommand } from './sub-command.ts'

/** `imago plc replica` */
export const addPlcReplica: AddSubCommand = (parent, onExit) => {
  parent
    .command('replica')
    .description(
      'run a replica of another directory: every operation validated again. Settings as of imago plc',
    )
    .requiredOption('--upstream <url>', 'the directory to follow, such as https://plc.directory')
    .option('--compare-with <url...>', 'others that should tell the same history', [])
    .action(async ({ upstream, compareWith }: { upstream: string; compareWith: string[] }) => {
      process.env['PLC_UPSTREAM'] = upstream
      if (compareWith.length > 0) process.env['PLC_COMPARE_WITH'] = compareWith.join(',')
      onExit(await runService('plc'))
    })
}
