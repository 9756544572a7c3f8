import { randomInt } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ALARM_EXIT_CODES,
  AuditAlarm,
  type AuditEvidence,
  type AuditReport,
  DirectoryUnavailableError,
  evidenceOf,
  judgeEvidence,
  openAuditor,
} from '@imago/plc/audit'
import { parseTrustPolicy, TlogError, type TrustPolicy } from '@imago/tlog'
import { CliError, EXIT, type ExitCode } from '../cli-error.ts'
import type { PlcAuditOptions } from './plc-audit.ts'

/** Audits once, or until it is told to stop. @returns what the process should exit with. */
export async function runAudits(options: PlcAuditOptions): Promise<ExitCode> {
  const { log, every, json = false } = options
  if (log === undefined)
    throw new CliError(EXIT.usage, 'the directory is missing: say --log https://plc.example.org')
  mkdirSync(options.data, { recursive: true })
  await using auditor = await openAuditor({
    url: log,
    policy: readPolicy(options.policy),
    folder: options.data,
    now: Date.now,
    fetch,
    randomInt: (below) => randomInt(below),
    samples: options.samples,
    ...(options.maxAge !== undefined && { maxAgeSeconds: options.maxAge }),
    onProgress: progressOn(process.stderr),
  })
  const stopped = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort())
  for (;;) {
    const exitCode = await once()
    // An alarm ends the watch: what comes after it must not hide it.
    if (every === undefined || exitCode > EXIT.failed || stopped.signal.aborted) return exitCode
    await sleep(every * 1000, undefined, { signal: stopped.signal }).catch(() => {})
    if (stopped.signal.aborted) return exitCode
  }

  async function once(): Promise<ExitCode> {
    try {
      print(await auditor.audit())
      return EXIT.ok
    } catch (error) {
      if (error instanceof AuditAlarm) return raise(error)
      if (!(error instanceof DirectoryUnavailableError)) throw error
      process.stderr.write(`${error.message}: nothing was verified\n`)
      return EXIT.failed
    }
  }

  function print(report: AuditReport): void {
    const { origin, size, newEntries, witnesses, sampledDids } = report
    process.stdout.write(
      json
        ? `${JSON.stringify({ type: 'report', ...report })}\n`
        : `${origin}: ${size} entries, ${newEntries} of them new, all in order; witnesses: ${witnesses.join(', ') || 'none'}; ${sampledDids.length} DIDs held against the log\n`,
    )
  }

  function raise(alarm: AuditAlarm): ExitCode {
    const now = Date.now()
    const file = join(options.data, `alarm-${alarm.code.toLowerCase()}-${now}.json`)
    const evidence = evidenceOf(alarm, log!, now)
    writeFileSync(file, `${JSON.stringify(evidence, null, 2)}\n`, { flush: true })
    if (json)
      process.stdout.write(
        `${JSON.stringify({ type: 'alarm', alarm: alarm.code, message: alarm.message, evidence: file })}\n`,
      )
    else process.stderr.write(`ALARM ${alarm.code}: ${alarm.message}\nThe evidence is in ${file}\n`)
    return ALARM_EXIT_CODES[alarm.code]
  }
}

/** Judges evidence that somebody has kept. @returns 0 when it shows what it says, 1 when it does not. */
export function judgeFile(file: string, { policy, json = false }: PlcAuditOptions): ExitCode {
  const evidence = readJson(file) as AuditEvidence
  const verdict = judgeEvidence(evidence, readPolicy(policy))
  process.stdout.write(
    json ? `${JSON.stringify({ type: 'verdict', ...verdict })}\n` : `${verdict.kind}: ${verdict.message}\n`,
  )
  return verdict.kind === 'unfounded' ? EXIT.failed : EXIT.ok
}

function readPolicy(file: string): TrustPolicy {
  const text = readText(file)
  try {
    return parseTrustPolicy(text)
  } catch (error) {
    if (error instanceof TlogError) throw new CliError(EXIT.usage, `${file}: ${error.message}`)
    throw error
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readText(file))
  } catch (error) {
    if (error instanceof SyntaxError) throw new CliError(EXIT.usage, `${file} is not JSON: ${error.message}`)
    throw error
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CliError(EXIT.usage, `${file} cannot be read: ${(error as Error).message}`)
  }
}

/** A line that is written over on a terminal; nothing elsewhere. */
function progressOn(output: NodeJS.WriteStream): (entries: number, size: number) => void {
  if (!output.isTTY) return () => {}
  return (entries, size) => {
    output.write(entries === size ? '\r\u001b[K' : `\r${entries} of ${size} entries judged`)
  }
}
