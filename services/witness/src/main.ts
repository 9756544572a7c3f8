import { ConfigError, createLogger, createMetrics, loadConfig, runService, serve } from '@imago/service'
import { witnessConfig, witnessOptionsOf } from './config.ts'
import { createWitness } from './lib/create-witness.ts'

/** Runs the witness, with settings from the environment, until it is told to stop. */
async function main(): Promise<number> {
  const config = loadConfig(witnessConfig)
  const logger = createLogger({ name: 'witness', level: config.logLevel })
  return await runService({
    signals: process,
    logger,
    async start(resources) {
      const metrics = createMetrics({ process: true, prefix: 'witness_' })
      const misdeeds = metrics.counter({
        name: 'misdeeds_total',
        help: 'Requests that prove a log to have signed what cannot be.',
      })
      const witness = resources.use(
        createWitness({
          ...witnessOptionsOf(config),
          now: Date.now,
          onMisdeed(origin, message) {
            misdeeds.inc()
            logger.error({ origin, fault: message }, 'a log has signed what cannot be')
          },
          onUnexpectedError: (error) => logger.error({ err: error }, 'request failed'),
        }),
      )
      const server = resources.use(
        await serve({
          fetch: witness.fetch,
          hostname: config.hostname,
          port: config.port,
          portSetting: 'WITNESS_PORT',
          onUnexpectedError: (error) => logger.error({ err: error }, 'a connection failed'),
        }),
      )
      if (config.metricsListen !== undefined)
        resources.use(
          await serve({
            fetch: metrics.fetch,
            ...config.metricsListen,
            portSetting: 'WITNESS_METRICS_LISTEN',
            onUnexpectedError: (error) => logger.error({ err: error }, 'metrics failed'),
          }),
        )
      logger.info({ url: server.url, vkeys: witness.vkeys }, 'listening')
    },
  })
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  console.error(error.message)
  process.exitCode = 2
}
