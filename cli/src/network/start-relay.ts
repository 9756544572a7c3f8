import { join } from 'node:path'
import { createSafeFetch } from '@imago/identity/node'
import { createRelay, createRelayDirectory, createVettedWebSocket } from '@imago/relay'
import { createMetrics } from '@imago/service'
import type { Startup } from './startup.ts'
import { testHandles } from './test-handles.ts'

/**
 * The relay, which reads the network's PDS and any other host on this machine that asks for it. Looking after its
 * hosts, it reaches this machine and nothing beyond: the network works offline.
 */
export async function startRelay(startup: Startup): Promise<void> {
  const { addresses, data, now, resources, logger, fail, listen } = startup
  const isOnThisMachine = ({ hostname }: URL) => hostname === 'localhost'
  const fetch = createSafeFetch({ allow: isOnThisMachine })
  resources.defer(() => fetch.close())
  const relay = resources.use(
    await createRelay({
      config: {
        databaseFile: join(data.relay, 'relay.sqlite'),
        logFolder: join(data.relay, 'events'),
        allowInsecureHosts: true,
      },
      now,
      directory: createRelayDirectory({
        plcUrl: addresses.plc.url,
        now,
        fetch,
        handleMethods: [testHandles(addresses)],
      }),
      fetch,
      openWebSocket: createVettedWebSocket({ allow: isOnThisMachine }),
      logger: logger('relay'),
      metrics: createMetrics({ prefix: 'relay_' }),
      onFailure: fail,
      checkOutput: true,
    }),
  )
  await listen('relay', relay)
}
