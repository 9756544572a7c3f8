import { randomBytes } from 'node:crypto'
import type { LoggerOptions } from '@imago/service'
import type { Addresses } from './addresses.ts'
import type { DataFolder } from './data-folder.ts'
import { startConsole } from './start-console.ts'
import { startJetstream } from './start-jetstream.ts'
import { startPds } from './start-pds.ts'
import { startPlc } from './start-plc.ts'
import { startRelay } from './start-relay.ts'
import { createStartup } from './startup.ts'
import { untilHealthy } from './until-healthy.ts'

export interface NetworkOptions {
  readonly addresses: Addresses
  readonly data: DataFolder
  readonly logLevel: LoggerOptions['level']
  /** Takes what has to be closed, as it is opened; closing it stops the network. */
  readonly resources: AsyncDisposableStack
  /** Aborts when the network is told to stop. */
  readonly stop: AbortSignal
  /** Told when a part cannot go on, and has logged why: the process has to end. */
  readonly fail: () => void
}

/**
 * Brings up a whole network in this process, on loopback: each part begins when those that it asks are there. Resolves
 * when all of them answer.
 * @throws {ListenError} when a port is in use, {CliError} or another error when a part cannot start.
 */
export async function startNetwork(options: NetworkOptions): Promise<void> {
  const startup = createStartup({ ...options, now: Date.now, randomBytes })
  await startPlc(startup)
  const pds = await startPds(startup)
  await startRelay(startup)
  await startJetstream(startup)
  await startConsole(startup)
  pds.announce()
  await untilHealthy(options.addresses, options.stop)
}
