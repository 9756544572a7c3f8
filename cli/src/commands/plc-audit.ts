import { InvalidArgumentError } from 'commander'
import type { AddSubCommand } from './sub-command.ts'

export interface PlcAuditOptions {
  readonly log?: string
  readonly policy: string
  readonly data: string
  readonly every?: number
  readonly maxAge?: number
  readonly samples: number
  readonly judge?: string
  readonly json?: boolean
}

const EXIT_CODES = `
Exit codes: 0 all is well; 1 the directory did not answer; 2 wrong command line or files;
10 untrusted or stale checkpoint; 11 the log became shorter; 12 two roots of one size; 13 a fork;
14 tiles or entries that are not those of the root; 15 an operation that may not stand in the log;
16 an API that tells another history than the log; 17 a notice that withdraws what is valid;
18 an API that goes on telling what was withdrawn.
Each alarm leaves its evidence in the data directory: whoever has the policy can judge it again with --judge.`

/** `imago plc audit` */
export const addPlcAudit: AddSubCommand = (parent, onExit) => {
  parent
    .command('audit')
    .description(
      'verify the transparency log of a directory, everything in it, and that its API tells the same',
    )
    .option('--log <url>', 'address of the directory, such as https://plc.example.org')
    .requiredOption('--policy <file>', 'keys of the log, witnesses and quorum, after c2sp.org/tlog-policy')
    .option('--data <dir>', 'what the auditor remembers', './data/plc-audit')
    .option('--every <seconds>', 'audit again and again', seconds)
    .option('--max-age <seconds>', 'cosignatures older than this do not count', seconds)
    .option('--samples <n>', 'DIDs whose answers are held against the log', count, 20)
    .option('--judge <file>', 'judge the evidence of an alarm again, without a network')
    .option('--json', 'one JSON object on each line')
    .addHelpText('after', EXIT_CODES)
    .action(async (options: PlcAuditOptions) => {
      const { judgeFile, runAudits } = await import('./plc-audit-run.ts')
      onExit(options.judge === undefined ? await runAudits(options) : judgeFile(options.judge, options))
    })
}

function seconds(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new InvalidArgumentError('Expected a number of seconds, such as 60.')
  return Number(text)
}

function count(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('Expected a whole number, such as 20.')
  return Number(text)
}
