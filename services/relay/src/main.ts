import { createSafeFetch } from '@imago/identity/node'
import { ConfigError, createLogger, createMetrics, loadConfig, runService, serve } from '@imago/service'
import { relayConfig, relayConfigOf } from './config.ts'
import { createRelay } from './create-relay.ts'
import { isLoopbackHost } from './hosts/hostname.ts'
import { createVettedWebSocket } from './hosts/vetted-web-socket.ts'
import { createRelayDirectory } from './relay-directory.ts'

/** Runs the relay alone, with settings from the environment, until it is told to stop. */
async function main(): Promise<number> {
  const settings = loadConfig(relayConfig)
  const { plcUrl, allowInsecureHosts } = settings
  const logger = createLogger({ name: 'relay', level: settings.logLevel })
  const now = Date.now

  return await runService({
    signals: process,
    logger,
    async start(resources, stop) {
      const metrics = createMetrics({ prefix: 'relay_', process: true })
      const { origin: plcOrigin } = new URL(plcUrl)
      const isOurNetwork = (url: URL) => allowInsecureHosts && isLoopbackHost(url.host)
      const fetch = createSafeFetch({ allow: (url) => url.origin === plcOrigin || isOurNetwork(url) })
      resources.defer(() => fetch.close())
      const relay = resources.use(
        await createRelay({
          config: relayConfigOf(settings),
          now,
          directory: createRelayDirectory({ plcUrl, now, fetch, capacity: settings.identityCacheSize }),
          fetch,
          openWebSocket: createVettedWebSocket({ allow: isOurNetwork }),
          logger,
          metrics,
          onFailure: () => process.exit(1),
        }),
      )
      const onUnexpectedError = (error: unknown) => logger.error({ err: error }, 'a connection failed')
      const server = resources.use(
        await serve({
          fetch: relay.fetch,
          upgrade: relay.upgrade,
          ...settings.apiBind,
          portSetting: 'RELAY_API_BIND',
          signal: stop,
          onUnexpectedError,
        }),
      )
      resources.use(
        await serve({
          fetch: metrics.fetch,
          ...settings.metricsListen,
          portSetting: 'RELAY_METRICS_LISTEN',
          signal: stop,
        }),
      )
      logger.info({ port: server.port, logFolder: settings.logFolder }, 'listening')
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
