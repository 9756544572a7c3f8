import { type DidPlc, diffData, normalizeOperation, type Operation, siftLog } from '@imago/identity/plc'
import { CliError, EXIT } from '../cli-error.ts'
import { readText } from '../keys/read-key.ts'
import { confirmed } from '../plc/confirmed.ts'
import { createPlcDirectory } from '../plc/plc-directory.ts'
import { tellChange } from '../plc/tell-history.ts'
import type { PlcWithdrawOptions } from './plc-withdraw.ts'

/** What a directory tells of an operation, not believed yet. */
interface ToldOperation {
  readonly operation: Operation
  readonly cid: string
  readonly nullified: boolean
  readonly createdAt: number
}

const say = (text: string) => process.stdout.write(`${text}\n`)

/**
 * Judges here what may not stand, shows what falls and what holds before and after, asks, and has it withdrawn.
 * @throws {CliError}
 */
export async function withdraw(did: DidPlc, cid: string, options: PlcWithdrawOptions): Promise<void> {
  const { reason, json = false, yes = false } = options
  const directory = createPlcDirectory(options.directory, fetch)
  const secret = readText(options.secretFile).trim()
  const told = toldOf(did, await directory.unjudged(did))
  const { refused, log } = siftLog(did, told)
  const first = refused[0]
  if (!told.some((one) => one.cid === cid)) throw new CliError(EXIT.usage, `${did} has no operation ${cid}`)
  if (!refused.some(({ entry }) => entry.cid === cid))
    throw new CliError(
      EXIT.usage,
      `operation ${cid} of ${did} is valid: only what may not stand is withdrawn`,
    )
  if (first!.entry.cid !== cid)
    throw new CliError(
      EXIT.usage,
      `operation ${cid} falls with ${first!.entry.cid}, the first that may not stand: withdraw that one`,
    )

  const before = told.findLast(({ nullified }) => !nullified)?.operation
  const after = log.head?.operation
  const changes = diffData(before && normalizeOperation(before), after && normalizeOperation(after))
  if (!json) {
    say(`This withdraws from ${did}:`)
    for (const { entry, error } of refused)
      say(`  ${new Date(entry.createdAt).toISOString()}  ${entry.cid}  ${error.code}`)
    say(after === undefined ? 'Nothing of it stands then.' : 'What holds then, against now:')
    for (const one of changes) say(`  ${tellChange(one)}`)
    if (changes.length === 0) say('  the same')
  }
  if (!yes && !(await confirmed())) throw new CliError(EXIT.failed, 'nothing was sent')
  const { seq, createdAt } = await directory.withdraw({ did, cid, reason, secret })
  const withdrawn = refused.map(({ entry }) => entry.cid)
  if (json) say(JSON.stringify({ did, cid, reason, seq, createdAt, withdrawn }))
  else say(`done: notice ${seq}, ${directory.url}/${did}/log/withdrawn`)
}

function toldOf(did: DidPlc, entries: unknown): ToldOperation[] {
  const isEntry = (one: unknown): one is Record<string, unknown> =>
    one !== null && typeof one === 'object' && 'operation' in one && 'cid' in one && 'createdAt' in one
  if (!Array.isArray(entries) || !entries.every(isEntry))
    throw new CliError(EXIT.failed, `the history of ${did} is not a list of operations`)
  return entries.map(({ operation, cid, nullified, createdAt }) => ({
    operation: operation as Operation,
    cid: String(cid),
    nullified: nullified === true,
    createdAt: Date.parse(String(createdAt)),
  }))
}
