export {
  type Config,
  type ConfigDefinition,
  ConfigError,
  type ConfigProblem,
  type ConfigRow,
  defineConfig,
  describeConfig,
  loadConfig,
  type Setting,
} from './config.ts'
export {
  bool,
  bytes,
  choice,
  duration,
  integer,
  type Kind,
  type ListenAddress,
  list,
  listenAddress,
  port,
  text,
  url,
} from './lib/config-kinds.ts'
export { writeDurably } from './lib/durable-text.ts'
export { ListenError } from './lib/listen.ts'
export { createLogger, type Logger, type LoggerOptions } from './lib/logger.ts'
export { createMetrics, type Metrics, type MetricsOptions } from './lib/metrics.ts'
export { type RunServiceOptions, runService } from './lib/run-service.ts'
export { readOrCreateSecret } from './lib/secret-file.ts'
export { type Connection, type ServeOptions, type Server, serve } from './lib/serve.ts'
export { createSlots, type Slots } from './lib/slots.ts'
export { ConsumerTooSlowError, type Upgrade, type UpgradeHandler } from './lib/upgrade.ts'
