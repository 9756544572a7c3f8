// Runs the reference directory on a PostgreSQL, until it is told to stop:
// `node bench/reference-plc.ts ENTRY`, where ENTRY is the module through which its packages are imported.
import { pathToFileURL } from 'node:url'

const [entry] = process.argv.slice(2)
if (entry === undefined) throw new Error('the entry module of the installed peers is missing')
const { load } = await import(pathToFileURL(entry).href)
const { Database, PlcServer } = (await load('@did-plc/server')).default
const db = Database.postgres({ url: process.env['PLC_DATABASE_URL'] })
await db.migrateToLatestOrThrow()
await PlcServer.create({ db, port: Number(process.env['PLC_PORT']), version: 'reference' }).start()
