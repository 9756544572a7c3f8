import type { Logger } from './logger.ts'

/** What `runService` needs of `process`, which only entry points may name. */
export interface SignalSource {
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
  off(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
}

export interface RunServiceOptions {
  /** Pass `process`. */
  readonly signals: SignalSource
  readonly logger: Logger
  /**
   * Brings the service up, putting whatever must be closed into `resources` as it is opened: they are closed in the
   * opposite order, also when a later step fails. The service is ready when the promise resolves.
   * @param stop aborts when the service is told to stop
   */
  start(resources: AsyncDisposableStack, stop: AbortSignal): Promise<void>
  /** How long closing may take. Default 15 s. */
  readonly closeTimeoutMs?: number
}

const EXIT_OK = 0
const EXIT_FAILED = 1

/**
 * Runs a service until SIGINT or SIGTERM, then closes what it opened. Resolves with the exit code: 0 after an orderly
 * stop; 1 when it could not start, could not close, or was told a second time while starting or closing.
 */
export async function runService(options: RunServiceOptions): Promise<number> {
  const { signals, logger, start, closeTimeoutMs = 15_000 } = options
  const told = new AbortController()
  const insisted = Promise.withResolvers<'insisted'>()
  const onSignal = () => (told.signal.aborted ? insisted.resolve('insisted') : told.abort())
  signals.on('SIGINT', onSignal)
  signals.on('SIGTERM', onSignal)

  const resources = new AsyncDisposableStack()
  let code = EXIT_OK
  try {
    if ((await Promise.race([start(resources, told.signal), insisted.promise])) !== 'insisted') {
      logger.info('ready')
      await aborted(told.signal)
    }
    logger.info('stopping')
  } catch (error) {
    if (!told.signal.aborted) {
      code = EXIT_FAILED
      logger.fatal(error instanceof Error ? { err: error } : { error }, 'could not start')
    }
  }

  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), closeTimeoutMs)
  })
  try {
    const outcome = await Promise.race([resources.disposeAsync(), late, insisted.promise])
    if (outcome === undefined) return code
    logger.error(
      outcome === 'late' ? `not closed after ${closeTimeoutMs} ms: giving up` : 'told twice: giving up',
    )
  } catch (error) {
    logger.error({ err: error }, 'could not close in order')
  } finally {
    clearTimeout(timer)
    signals.off('SIGINT', onSignal)
    signals.off('SIGTERM', onSignal)
  }
  return EXIT_FAILED
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
