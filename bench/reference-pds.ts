// Runs the reference PDS from its environment (`PDS_*`), until it is told to stop:
// `node bench/reference-pds.ts ENTRY`, where ENTRY is the module through which its packages are imported.
import { pathToFileURL } from 'node:url'

const [entry] = process.argv.slice(2)
if (entry === undefined) throw new Error('the entry module of the installed peers is missing')
const { load } = await import(pathToFileURL(entry).href)
const { PDS } = await load('@atproto/pds')
await PDS.run()
