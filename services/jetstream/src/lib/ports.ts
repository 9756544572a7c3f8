import type { DropReason } from './ingest/translate-frame.ts'

/** Where lines go. A logger of `@imago/service` fits. */
export interface JetstreamLogger {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** What is counted on the way in. */
export interface JetstreamMeters {
  /** Events that were taken into the stream. */
  taken(events: number): void
  dropped(reason: DropReason): void
}
