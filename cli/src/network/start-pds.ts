import { createPds, createPdsDirectory, type Pds, readConfig } from '@imago/pds'
import { createMetrics } from '@imago/service'
import type { Startup } from './startup.ts'
import { testHandles } from './test-handles.ts'

/** The server of the network's accounts. It asks the relay to come when `announce` is called. */
export async function startPds(startup: Startup): Promise<Pds> {
  const { addresses, data, now, randomBytes, resources, logger, listen } = startup
  const { config } = readConfig({
    PDS_PORT: String(addresses.pds.port),
    PDS_DATA_DIRECTORY: data.pds,
    PDS_JWT_SECRET: data.identity.jwtSecret,
    PDS_ADMIN_PASSWORD: data.identity.adminPassword,
    PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX: data.identity.plcRotationKey,
    PDS_DID_PLC_URL: addresses.plc.url,
    PDS_CRAWLERS: addresses.relay.url,
  })
  const directory = resources.use(
    createPdsDirectory({ plcUrl: addresses.plc.url, now, handleMethods: [testHandles(addresses)] }),
  )
  const pds = resources.use(
    await createPds(config, {
      now,
      randomBytes,
      fetch,
      directory,
      logger: logger('pds'),
      metrics: createMetrics({ prefix: 'pds_' }),
      // A development network is where a wrong answer should be noticed.
      checkOutput: true,
    }),
  )
  await listen('pds', pds)
  return pds
}
