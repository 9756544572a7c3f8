import { randomBytes } from 'node:crypto'
import { createSafeFetch, resolveTxt } from '@imago/identity/node'
import { ConfigError, createLogger, createMetrics, runService, serve } from '@imago/service'
import { readConfig } from './config.ts'
import { createPds } from './create-pds.ts'
import { createPdsDirectory } from './identity/pds-directory.ts'
import { createLexiconResolver } from './records/lexicon-resolver.ts'
import { VERSION } from './version.ts'

const now = Date.now

function configured() {
  try {
    return readConfig(process.env)
  } catch (error) {
    if (!(error instanceof ConfigError) && !(error instanceof TypeError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(2)
  }
}

const { settings, config, withoutEffect } = configured()
const logger = createLogger({ name: 'pds', level: settings.logLevel })

process.exitCode = await runService({
  signals: process,
  logger,
  async start(resources, stop) {
    if (withoutEffect.length > 0)
      logger.warn({ settings: withoutEffect }, 'these settings have no effect yet')
    const metrics = createMetrics({ prefix: 'pds_', process: true })
    const didWebAlarms = metrics.counter({
      name: 'did_web_alarms_total',
      help: 'Keys, servers and handles of did:webs that became others, and documents that were lost.',
      labelNames: ['kind'],
    })
    const directory = resources.use(
      createPdsDirectory({
        plcUrl: config.plcUrl,
        now,
        onAlarm(did, alarm) {
          didWebAlarms.inc({ kind: alarm.kind })
          logger.warn({ did, ...alarm }, 'a did:web is not what it was')
        },
      }),
    )
    const safeFetch = createSafeFetch()
    resources.defer(() => safeFetch.close())
    const lexicons = createLexiconResolver({ resolveTxt, directory, fetch: safeFetch, now })
    const pds = resources.use(
      await createPds(config, { now, randomBytes, logger, metrics, fetch, directory, lexicons }),
    )
    const onUnexpectedError = (error: unknown) => logger.error({ err: error }, 'a connection failed')
    const server = resources.use(
      await serve({ ...pds, port: settings.port, portSetting: 'PDS_PORT', signal: stop, onUnexpectedError }),
    )
    if (settings.metricsPort !== undefined)
      resources.use(
        await serve({
          fetch: metrics.fetch,
          hostname: 'localhost',
          port: settings.metricsPort,
          portSetting: 'PDS_METRICS_PORT',
          signal: stop,
        }),
      )
    pds.announce()
    logger.info(
      {
        url: config.publicUrl,
        did: config.serviceDid,
        port: server.port,
        dataDirectory: config.dataDirectory,
        version: VERSION,
      },
      'listening',
    )
  },
})
