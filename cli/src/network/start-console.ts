import { createConsole } from '../console/create-console.ts'
import { VERSION } from '../version.ts'
import type { Startup } from './startup.ts'

/** The pages for people. They know the other parts by their addresses alone. */
export async function startConsole(startup: Startup): Promise<void> {
  const { addresses, data, now, resources, logger, listen } = startup
  const { fetch, follow, ...closable } = createConsole({
    services: {
      plc: addresses.plc.url,
      pds: addresses.pds.url,
      relay: addresses.relay.url,
      jetstream: addresses.jetstream.url,
    },
    dataPath: data.path,
    version: VERSION,
    now,
    logger: logger('console'),
  })
  await listen('console', { fetch })
  // After its server, so that it is closed before: a server waits for its requests, and pages that watch never end.
  resources.use(closable)
  follow()
}
