export { CursorError, type CursorErrorCode, LogError, type LogErrorCode } from './lib/errors.ts'
export type { EventLog, LogEntry, NewEntry, NextSeq, ReadableLog, ReadLimit } from './lib/event-log.ts'
export { createFanOut, type FanOut, type FanOutOptions, type FanOutReadOptions } from './lib/fan-out.ts'
export { createGroupCommit, type GroupCommit, type GroupCommitOptions } from './lib/group-commit.ts'
