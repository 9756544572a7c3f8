export { jetstreamConfig } from './config.ts'
export { createJetstream, type Jetstream, type JetstreamOptions } from './lib/create-jetstream.ts'
