export { openSqliteLog, type SqliteLog, type SqliteLogOptions } from './lib/sqlite-log.ts'
