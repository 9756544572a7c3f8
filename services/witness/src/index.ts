export { witnessConfig, witnessOptionsOf } from './config.ts'
export { createWitness, type WitnessOptions, type WitnessService } from './lib/create-witness.ts'
