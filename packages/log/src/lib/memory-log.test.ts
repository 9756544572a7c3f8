import { eventLogContract } from '../event-log.contract.ts'
import { openMemoryLog } from './memory-log.ts'

eventLogContract('memory log', {
  durable: false,
  prunesExactly: true,
  harness: async () => ({
    open: async (options) => openMemoryLog(options),
    [Symbol.asyncDispose]: async () => {},
  }),
})
