import { didWebHistoryContract } from '../did-web-history.contract.ts'
import { createMemoryHistory } from './did-web-history-memory.ts'

didWebHistoryContract('memory', async (bounds) => ({
  history: createMemoryHistory(bounds),
  settle: async () => {},
  [Symbol.asyncDispose]: async () => {},
}))
