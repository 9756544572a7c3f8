import { join } from 'node:path'
import { createPlc } from '@imago/plc'
import { readOrCreateSecret } from '@imago/service'
import type { Startup } from './startup.ts'

/** The directory of the network's DIDs. */
export async function startPlc({ data, now, resources, logger, listen }: Startup): Promise<void> {
  const plc = resources.use(
    await createPlc({
      databaseFile: join(data.plc, 'plc.sqlite'),
      now,
      transparency: {
        origin: 'plc.test/log',
        seed: readOrCreateSecret(join(data.plc, 'log.seed')),
        checkpointFile: join(data.plc, 'log.checkpoint'),
      },
      // Somebody who tries out handle changes should not have to wait an hour after ten of them.
      writeLimits: false,
      logger: logger('plc'),
    }),
  )
  await listen('plc', plc)
}
