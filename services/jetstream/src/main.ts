import { ConfigError, createLogger, createMetrics, loadConfig, runService, serve } from '@imago/service'
import { jetstreamConfig } from './config.ts'
import { createJetstream } from './lib/create-jetstream.ts'

/** Runs Jetstream alone, with settings from the environment, until it is told to stop. */
async function main(): Promise<number> {
  const config = loadConfig(jetstreamConfig)
  const logger = createLogger({ name: 'jetstream', level: config.logLevel })
  let failed = false
  const code = await runService({
    signals: process,
    logger,
    async start(resources) {
      const metrics = createMetrics({ prefix: 'jetstream_', process: true })
      const jetstream = resources.use(await createJetstream({ ...config, metrics, logger }))
      jetstream.done.catch(() => {
        failed = true
        process.emit('SIGTERM', 'SIGTERM')
      })
      const onUnexpectedError = (error: unknown) => logger.error({ err: error }, 'a connection failed')
      const server = resources.use(
        await serve({ ...jetstream, ...config.listen, portSetting: 'JETSTREAM_ADDR', onUnexpectedError }),
      )
      if (config.metricsListen)
        resources.use(
          await serve({
            fetch: metrics.fetch,
            ...config.metricsListen,
            portSetting: 'JETSTREAM_METRICS_ADDR',
            onUnexpectedError,
          }),
        )
      logger.info({ url: server.url, relayUrl: config.relayUrl }, 'listening')
    },
  })
  return failed ? 1 : code
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  console.error(error.message)
  process.exitCode = 2
}
