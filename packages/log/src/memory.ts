export { type MemoryLogOptions, openMemoryLog } from './lib/memory-log.ts'
