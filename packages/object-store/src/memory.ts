export { createMemoryStore, type MemoryStore } from './lib/memory-store.ts'
