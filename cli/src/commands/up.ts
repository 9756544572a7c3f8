import { randomBytes } from 'node:crypto'
import { flushCompileCache } from 'node:module'
import { ConfigError, createLogger, loadConfig, runService } from '@imago/service'
import { CliError, EXIT, type ExitCode } from '../cli-error.ts'
import { addressesAt } from '../network/addresses.ts'
import { announcement } from '../network/announcement.ts'
import { defaultDataPath, openDataFolder, removeNetwork } from '../network/data-folder.ts'
import { assertPortsFree } from '../network/free-ports.ts'
import { networkSettings } from '../settings.ts'

export interface UpOptions {
  /** Remove what earlier runs kept. */
  readonly fresh: boolean
  readonly portOffset: number
}

/** Below the three seconds that people wait before they reach for `kill -9`. */
const CLOSE_TIMEOUT_MS = 2800

/**
 * Runs the development network until it is told to stop.
 * @throws {CliError} when a setting is wrong, a port is in use, or the data folder is not one of ours: before anything
 * was started or removed.
 */
export async function up({ fresh, portOffset }: UpOptions): Promise<ExitCode> {
  const settings = readSettings()
  const path = settings.data ?? defaultDataPath(portOffset)
  const addresses = addressesAt(portOffset)
  await assertPortsFree(addresses, portOffset)
  if (fresh) tellRemoved(removeNetwork(path), path)
  const data = openDataFolder({ path, portOffset, randomBytes })

  const logger = createLogger({ name: 'imago', level: settings.logLevel })
  return (await runService({
    signals: process,
    logger,
    closeTimeoutMs: CLOSE_TIMEOUT_MS,
    async start(resources, stop) {
      const { startNetwork } = await import('../network/start-network.ts')
      const fail = () => process.exit(EXIT.failed)
      await startNetwork({ addresses, data, logLevel: settings.logLevel, resources, stop, fail })
      // Now rather than at exit: a network that is killed should not have to compile everything again.
      flushCompileCache()
      process.stdout.write(
        announcement({
          addresses,
          dataPath: data.path,
          elapsedMs: performance.now(),
          colour: process.stdout.isTTY === true,
        }),
      )
    },
  })) as ExitCode
}

function readSettings() {
  try {
    return loadConfig(networkSettings, process.env)
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(EXIT.usage, error.message, { cause: error })
    throw error
  }
}

function tellRemoved(removed: readonly string[], path: string): void {
  process.stdout.write(
    removed.length === 0 ? `fresh: nothing to remove in ${path}\n` : `fresh: removed ${removed.join(', ')}\n`,
  )
}
