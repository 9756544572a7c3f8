import {
  createLogger,
  type Logger,
  type LoggerOptions,
  type ServeOptions,
  type Server,
  serve,
} from '@imago/service'
import type { Addresses, PartName } from './addresses.ts'
import type { DataFolder } from './data-folder.ts'

/** How long requests and WebSockets get to end before they are cut off, so that Ctrl+C is not a wait. */
const STOP_TIMEOUT_MS = 1500

/** What every part of the network is started with. */
export interface Startup {
  readonly addresses: Addresses
  readonly data: DataFolder
  /** What has to be closed, in the order in which it was opened. */
  readonly resources: AsyncDisposableStack
  /** Aborts when the network is told to stop. */
  readonly stop: AbortSignal
  readonly now: () => number
  readonly randomBytes: (length: number) => Uint8Array
  logger(name: PartName): Logger
  /** A part cannot go on: the process has to end. The part has logged why. */
  readonly fail: () => void
  /** Listens on loopback at the part's address, until the network stops. */
  listen(
    name: PartName,
    service: Pick<ServeOptions, 'fetch' | 'answer' | 'upgrade' | 'maxMessageBytes'>,
  ): Promise<Server>
}

export interface StartupOptions extends Omit<Startup, 'logger' | 'listen'> {
  readonly logLevel: LoggerOptions['level']
}

export function createStartup(options: StartupOptions): Startup {
  const { addresses, resources, stop, logLevel } = options
  const loggers = new Map<PartName, Logger>()
  const logger = (name: PartName): Logger => {
    const made = loggers.get(name) ?? createLogger({ name, level: logLevel })
    loggers.set(name, made)
    return made
  }
  return {
    ...options,
    logger,
    async listen(name, { fetch, answer, upgrade, maxMessageBytes }) {
      return resources.use(
        await serve({
          fetch,
          answer,
          upgrade,
          maxMessageBytes,
          hostname: 'localhost',
          port: addresses[name].port,
          portSetting: '--port-offset',
          signal: stop,
          stopTimeoutMs: STOP_TIMEOUT_MS,
          onUnexpectedError: (error) => logger(name).error({ err: error }, 'a connection failed'),
        }),
      )
    },
  }
}
