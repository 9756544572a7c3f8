import { isatty } from 'node:tty'
import { type DestinationStream, type Logger, pino } from 'pino'
import { prettyFactory } from 'pino-pretty'

export type { Logger } from 'pino'

export interface LoggerOptions {
  /** Name of the service, on every line. */
  readonly name: string
  /** Default `info`. */
  readonly level?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent' | undefined
  /** Text for people rather than JSON lines. Default: when standard output is a terminal. */
  readonly pretty?: boolean | undefined
  /** Where lines go. Default: standard output. */
  readonly destination?: DestinationStream | undefined
}

const STDOUT = 1
/** Fields that hold credentials, wherever in a logged object they are likely to sit. */
const SECRET_FIELDS = [
  'password',
  'secret',
  'token',
  'accessJwt',
  'refreshJwt',
  'authorization',
  'cookie',
  'dpop',
]

/**
 * A log of JSON lines, or of readable text on a terminal. Lines are written before the call returns, so that the last
 * words before a crash are not lost. Fields named like credentials are struck out.
 */
export function createLogger(options: LoggerOptions): Logger {
  const {
    name,
    level = 'info',
    pretty = isatty(STDOUT),
    destination = pino.destination({ dest: STDOUT, sync: true }),
  } = options
  return pino(
    {
      name,
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      base: { name },
      formatters: { level: (label) => ({ level: label }) },
      redact: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
    },
    pretty ? prettyTo(destination) : destination,
  )
}

function prettyTo(destination: DestinationStream): DestinationStream {
  const format = prettyFactory({
    colorize: isatty(STDOUT),
    translateTime: 'HH:MM:ss',
    ignore: 'pid,hostname',
  })
  return { write: (line) => destination.write(format(line)) }
}
