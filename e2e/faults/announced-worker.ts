// What a thread of a server runs in the fault run: see worker-threads.ts.
import { readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { takeHeadStart } from './head-start.ts'
import { say } from './transcript.ts'

const [module = ''] = process.argv.slice(2)
say({ type: 'worker', thread: Number(basename(readlinkSync('/proc/thread-self'))) })
await takeHeadStart('worker')
await import(module)
