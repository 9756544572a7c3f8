import { ConfigError, createLogger, createMetrics, loadConfig, runService, serve } from '@imago/service'
import { plcConfig, plcOptionsOf } from './config.ts'
import { createPlc } from './lib/create-plc.ts'

/** Runs the directory alone, with settings from the environment, until it is told to stop. */
async function main(): Promise<number> {
  const config = loadConfig(plcConfig)
  const logger = createLogger({ name: 'plc', level: config.logLevel })
  return await runService({
    signals: process,
    logger,
    async start(resources) {
      const metrics = createMetrics({ process: true })
      const plc = resources.use(await createPlc({ ...plcOptionsOf(config), metrics, logger }))
      const server = resources.use(
        await serve({
          fetch: plc.fetch,
          answer: plc.answer,
          upgrade: plc.upgrade,
          hostname: config.hostname,
          port: config.port,
          portSetting: 'PLC_PORT',
          onUnexpectedError: (error) => logger.error({ err: error }, 'request failed'),
        }),
      )
      if (config.metricsListen !== undefined)
        resources.use(
          await serve({
            fetch: metrics.fetch,
            ...config.metricsListen,
            portSetting: 'PLC_METRICS_LISTEN',
            onUnexpectedError: (error) => logger.error({ err: error }, 'metrics failed'),
          }),
        )
      logger.info({ url: server.url, databaseFile: config.databaseFile }, 'listening')
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
