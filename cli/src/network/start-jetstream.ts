import { createJetstream } from '@imago/jetstream'
import type { Startup } from './startup.ts'

/** What the relay passes on, as JSON. */
export async function startJetstream(startup: Startup): Promise<void> {
  const { addresses, data, now, resources, logger, fail, listen } = startup
  const jetstream = resources.use(
    await createJetstream({
      relayUrl: addresses.relay.url,
      dataDirectory: data.jetstream,
      now,
      logger: logger('jetstream'),
    }),
  )
  jetstream.done.catch(fail)
  await listen('jetstream', jetstream)
}
