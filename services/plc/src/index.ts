export { plcConfig, plcOptionsOf } from './config.ts'
export { createPlc, type Plc, type PlcOptions } from './lib/create-plc.ts'
export type { PlcStore, Position, Receipt, StoredOperation } from './lib/store/plc-store.ts'
