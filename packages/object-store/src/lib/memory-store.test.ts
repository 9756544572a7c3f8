import { objectStoreContract } from '../object-store.contract.ts'
import { createMemoryStore } from './memory-store.ts'

objectStoreContract(
  'memory',
  async () => ({ store: createMemoryStore(), async [Symbol.asyncDispose]() {} }),
  { manyObjects: 1_050, largeBytes: 2 * 1024 * 1024, tellsTimes: false },
)
