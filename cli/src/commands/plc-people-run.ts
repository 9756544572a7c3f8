import { setTimeout as sleep } from 'node:timers/promises'
import { type Keypair, tryParseDidKey } from '@imago/crypto'
import {
  type DidPlc,
  diffData,
  explainLog,
  judgeOperation,
  normalizeOperation,
  type Operation,
  type PlcData,
  PlcError,
  type PlcErrorCode,
  type PlcLog,
  parseOperation,
  tombstoneOperation,
  updateOperation,
} from '@imago/identity/plc'
import { CliError, EXIT, type ExitCode } from '../cli-error.ts'
import { passphraseOf, readKey, readText } from '../keys/read-key.ts'
import { confirmed } from '../plc/confirmed.ts'
import { findRecoveries, type Recovery } from '../plc/find-recovery.ts'
import { createPlcDirectory, type PlcDirectory, validated } from '../plc/plc-directory.ts'
import type { DirectoryOptions, SigningOptions } from '../plc/plc-options.ts'
import { duration, historyJson, tellChange, tellHistory, tellOperation } from '../plc/tell-history.ts'

const say = (text: string) => process.stdout.write(`${text}\n`)
const sayJson = (value: unknown) => say(JSON.stringify(value))
const directoryOf = ({ directory }: DirectoryOptions) => createPlcDirectory(directory, fetch)

export async function history(did: DidPlc, options: DirectoryOptions): Promise<void> {
  const log = await directoryOf(options).log(did)
  if (options.json) sayJson(historyJson(log))
  else say(tellHistory(log, Date.now()).trimEnd())
}

export async function verify(did: DidPlc, options: DirectoryOptions & { file?: string }): Promise<void> {
  const log =
    options.file === undefined ? await directoryOf(options).log(did) : validated(did, parseJson(options.file))
  const undone = log.entries.filter(({ nullified }) => nullified).length
  if (options.json) sayJson({ did, valid: true, operations: log.entries.length, undone })
  else say(`${did}: ${log.entries.length} operations, ${undone} of them undone, all valid`)
}

export async function addKey(
  did: DidPlc,
  added: string,
  options: SigningOptions & { last?: boolean },
): Promise<void> {
  if (tryParseDidKey(added) === undefined)
    throw new CliError(EXIT.usage, `${added} is not a public key: expected did:key:z… of P-256 or K-256`)
  await change(did, options, ({ rotationKeys }) => {
    if (rotationKeys.includes(added))
      throw new CliError(EXIT.usage, `${added} is a rotation key of ${did} already`)
    return { rotationKeys: options.last ? [...rotationKeys, added] : [added, ...rotationKeys] }
  })
}

export async function removeKey(did: DidPlc, removed: string, options: SigningOptions): Promise<void> {
  await change(did, options, ({ rotationKeys }) => {
    if (!rotationKeys.includes(removed))
      throw new CliError(
        EXIT.usage,
        `${removed} is not a rotation key of ${did}: those are ${rotationKeys.join(', ')}`,
      )
    if (rotationKeys.length === 1)
      throw new CliError(
        EXIT.usage,
        `${removed} is the only rotation key of ${did}: without it nobody could change the DID again`,
      )
    return { rotationKeys: rotationKeys.filter((key) => key !== removed) }
  })
}

export async function tombstone(did: DidPlc, options: SigningOptions): Promise<void> {
  const { directory, log, keypair } = await begin(did, options)
  const operation = guarded(() => tombstoneOperation(headOf(log), keypair))
  await submitAfterAsking(directory, log, operation, options)
}

export async function sign(
  did: DidPlc,
  options: SigningOptions & { changes: string; after?: string },
): Promise<void> {
  const { log, keypair } = await begin(did, options)
  const changes = parseJson(options.changes) as Partial<PlcData>
  const last =
    options.after === undefined
      ? headOf(log)
      : log.entries.find(({ cid }) => cid.toString() === options.after)?.operation
  if (last === undefined) throw new CliError(EXIT.usage, `${did} has no operation ${options.after}`)
  const operation = guarded(() => parseOperation(updateOperation(last, changes, keypair), 'ingest'))
  guarded(() => judgeOperation(log, operation, timeAfter(log)))
  sayJson(operation)
}

export async function submit(
  did: DidPlc,
  file: string,
  options: DirectoryOptions & { yes?: boolean },
): Promise<void> {
  const directory = directoryOf(options)
  const log = await directory.log(did)
  const operation = guarded(() => parseOperation(parseJson(file), 'ingest'))
  await submitAfterAsking(directory, log, operation, options)
}

export async function recover(
  did: DidPlc,
  options: SigningOptions & { undo?: string; dryRun?: boolean },
): Promise<ExitCode> {
  const { directory, log, keypair } = await begin(did, options)
  const recoveries = findRecoveries(log, keypair, Date.now())
  if (recoveries.length === 0) {
    say(`${keypair.didKey} can undo nothing of ${did}: no operation of a weaker key is younger than 72 hours`)
    return EXIT.failed
  }
  if (options.dryRun) {
    for (const recovery of recoveries) tellRecovery(recovery, options.json === true)
    return EXIT.ok
  }
  const chosen = choose(recoveries, options.undo)
  tellRecovery(chosen, false)
  const operation = guarded(() => updateOperation(chosen.lastGood.operation, {}, keypair))
  await submitAfterAsking(directory, log, operation, options)
  return EXIT.ok
}

/** Undoing more than one was meant to undo is a loss of its own. */
function choose(recoveries: readonly Recovery[], undo: string | undefined): Recovery {
  const cidOf = ({ disputed }: Recovery) => disputed.entry.cid.toString()
  if (undo === undefined && recoveries.length === 1) return recoveries[0]!
  const chosen = recoveries.find((recovery) => cidOf(recovery) === undo)
  if (chosen !== undefined) return chosen
  throw new CliError(
    EXIT.usage,
    `say with --undo which operation is the first bad one: ${recoveries.map(cidOf).join(', ')}`,
  )
}

function tellRecovery({ disputed, undone, position, remainingMs, lastGood }: Recovery, json: boolean): void {
  if (json) {
    sayJson({
      undo: disputed.entry.cid.toString(),
      undoes: undone.map(({ entry }) => entry.cid.toString()),
      backTo: lastGood.cid.toString(),
      position,
      remainingMs,
    })
    return
  }
  say(
    `undoes ${undone.length === 1 ? 'one operation' : `${undone.length} operations`}, back to ${lastGood.cid}:`,
  )
  for (const one of undone) say(tellOperation(one, Date.now()).trimEnd())
  say(
    `Your key is key ${position + 1}, theirs was key ${disputed.signedBy.position + 1}: yours wins, for another ${duration(remainingMs)}.`,
  )
}

export async function drill(did: DidPlc, options: SigningOptions): Promise<ExitCode> {
  const { log, keypair } = await begin(did, options)
  const keys = normalizeOperation(headOf(log))?.rotationKeys ?? []
  const position = keys.indexOf(keypair.didKey)
  if (position < 0) {
    say(
      `${keypair.didKey} is not a rotation key of ${did}: it could save nothing. Those are ${keys.join(', ') || 'none'}`,
    )
    return EXIT.failed
  }
  const operation = guarded(() => updateOperation(headOf(log), {}, keypair))
  guarded(() => judgeOperation(log, operation, timeAfter(log)))
  const outranked = keys.slice(position + 1)
  if (options.json) sayJson({ did, key: keypair.didKey, position, outranks: outranked })
  else {
    say(`The key works: a change of ${did} that it signed here would be taken. Nothing was sent.`)
    say(
      outranked.length === 0
        ? 'It outranks no other key: it could undo nothing.'
        : `It could undo what these sign: ${outranked.join(', ')}`,
    )
  }
  return EXIT.ok
}

export async function watch(
  dids: readonly DidPlc[],
  options: DirectoryOptions & { every: number },
): Promise<ExitCode> {
  const directory = directoryOf(options)
  const stopped = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort())
  const known = new Map<DidPlc, number>()
  while (!stopped.signal.aborted) {
    for (const did of dids) {
      try {
        const log = await directory.log(did)
        const seen = known.get(did)
        if (seen === undefined && !options.json)
          say(`watching ${did}: ${log.entries.length} operations so far`)
        for (const told of explainLog(log).slice(seen ?? log.entries.length)) {
          if (options.json)
            sayJson({ did, ...historyJson(log).find(({ cid }) => cid === told.entry.cid.toString()) })
          else
            say(
              `${did} has changed\n${tellOperation(told, Date.now())}If that was not you: imago plc recover ${did} --undo ${told.entry.cid} --key <file>`,
            )
        }
        known.set(did, log.entries.length)
      } catch (error) {
        if (!(error instanceof CliError)) throw error
        process.stderr.write(`${error.message}\n`)
      }
    }
    await sleep(options.every * 1000, undefined, { signal: stopped.signal }).catch(() => {})
  }
  return EXIT.ok
}

/** Changes what `changesOf` says, after showing it. */
async function change(
  did: DidPlc,
  options: SigningOptions,
  changesOf: (data: PlcData) => Partial<PlcData>,
): Promise<void> {
  const { directory, log, keypair } = await begin(did, options)
  const data = normalizeOperation(headOf(log))
  if (data === undefined)
    throw new CliError(EXIT.failed, `${did} has ended: nothing can follow but a recovery`)
  const operation = guarded(() => updateOperation(headOf(log), changesOf(data), keypair))
  await submitAfterAsking(directory, log, operation, options)
}

async function begin(
  did: DidPlc,
  options: SigningOptions,
): Promise<{ directory: PlcDirectory; log: PlcLog; keypair: Keypair }> {
  const directory = directoryOf(options)
  const keypair = await readKey(options.key, passphraseOf(options))
  return { directory, keypair, log: await directory.log(did) }
}

/** Judges the operation here first: what a directory would refuse does not leave. */
async function submitAfterAsking(
  directory: PlcDirectory,
  log: PlcLog,
  operation: Operation,
  { yes = false, json = false }: { readonly yes?: boolean; readonly json?: boolean },
): Promise<void> {
  const { entry, nullified } = guarded(() => judgeOperation(log, operation, timeAfter(log)))
  const changes = diffData(normalizeOperation(headOf(log)), normalizeOperation(operation))
  if (!json) {
    say(operation.type === 'plc_tombstone' ? `This ends ${log.did}:` : `This changes ${log.did}:`)
    for (const one of changes) say(`  ${tellChange(one)}`)
    if (changes.length === 0) say('  nothing but its last operation')
  }
  if (!yes && !(await confirmed())) throw new CliError(EXIT.failed, 'nothing was sent')
  await directory.submit(log.did, operation)
  if (json) sayJson({ did: log.did, cid: entry.cid.toString(), undid: nullified.map(String) })
  else say(`done: ${entry.cid}`)
}

/** What a person can mend is told in one sentence. */
function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof PlcError)) throw error
    throw new CliError(EXIT.usage, EXPLANATIONS[error.code] ?? error.message, { cause: error })
  }
}

/** Where the words that directories use say too little to a person. */
const EXPLANATIONS: Partial<Record<PlcErrorCode, string>> = {
  StalePrev:
    'the operation follows one that is not the last any more, and its key does not outrank the one that went on from there: sign it again',
  Misordered:
    'the operation follows one that does not hold, or nothing may follow it: sign it again after the last one',
}

const headOf = (log: PlcLog): Operation => log.head!.operation

/** A directory would take it now, or right after the last one where clocks differ. */
const timeAfter = (log: PlcLog): number => Math.max(Date.now(), log.head!.createdAt + 1)

function parseJson(file: string): unknown {
  try {
    return JSON.parse(readText(file))
  } catch (error) {
    if (error instanceof SyntaxError) throw new CliError(EXIT.usage, `${file} is not JSON: ${error.message}`)
    throw error
  }
}
