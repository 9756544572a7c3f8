// Loads a PLC directory, in a process that can be given a core of its own. Prints one JSON object.
//
//   node plc-load.ts submit|resolve --url URL --file FILE --concurrency N --seconds N [--send-again true]
//   node plc-load.ts listen --url URL --listeners N --lines N
//
// With --send-again, what is answered with 500 is asked again, and counts when it is answered with 200. The file has a line for each operation: the DID, a space, and the operation as JSON.
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createRandom } from '@imago/sim/random'
import { openHttpSocket, requestBytes } from './http-socket.ts'
import { openStreamSocket } from './stream-socket.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string' },
    file: { type: 'string' },
    concurrency: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '4' },
    listeners: { type: 'string', default: '100' },
    lines: { type: 'string', default: '10000' },
    'send-again': { type: 'string', default: 'false' },
  },
})
const url = new URL(values.url!)
const LISTEN_DEADLINE_MS = 60_000
const WARM_UP = 200

/** Sends requests until the time is over or there are no more. @throws when any is not answered with 200. */
async function ask(next: (n: number) => Uint8Array | undefined) {
  const until = performance.now() + Number(values.seconds) * 1000
  const again: Uint8Array[] = []
  let sent = 0
  let answered = 0
  let failed = 0
  const startedAt = performance.now()
  const latencies: number[] = []
  const lanes = Array.from({ length: Number(values.concurrency) }, async () => {
    using socket = await openHttpSocket(url)
    while (performance.now() < until) {
      const request = again.pop() ?? next(sent++)
      if (request === undefined) return
      const askedAt = performance.now()
      const { status } = await socket.ask(request)
      if (status === 500 && values['send-again'] === 'true') {
        failed++
        again.push(request)
        continue
      }
      if (status !== 200) throw new Error(`answered with ${status}: ${Buffer.from(request)}`)
      latencies.push(performance.now() - askedAt)
      answered++
    }
  })
  await Promise.all(lanes)
  const seconds = (performance.now() - startedAt) / 1000
  latencies.sort((a, b) => a - b)
  return { answered, failed, perSec: answered / seconds, p99: latencies[Math.floor(latencies.length * 0.99)] }
}

const operations = () =>
  readFileSync(values.file!, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ did: line.slice(0, line.indexOf(' ')), json: line.slice(line.indexOf(' ') + 1) }))

async function submit() {
  const requests = operations().map(({ did, json }) => requestBytes('POST', `/${did}`, url, json))
  return await ask((n) => requests[n])
}

async function resolve() {
  const requests = operations().map(({ did }) => requestBytes('GET', `/${did}`, url))
  const random = createRandom(WARM_UP)
  return await ask(() => requests[random.int(requests.length)])
}

/** Follows a stream many times over, until each listener has every line in its order. */
async function listen() {
  const lines = Number(values.lines)
  const progress = Array.from({ length: Number(values.listeners) }, () => ({ lines: 0, seq: 0 }))
  let bytes = 0
  const sockets: Socket[] = []
  for (const one of progress) {
    const { socket } = await openStreamSocket(new URL('/export/stream', url), (payload) => {
      const text = Buffer.from(payload.buffer, payload.byteOffset, payload.length)
      const seq = Number(text.toString('latin1', text.lastIndexOf(':') + 1, text.length - 1))
      if (one.seq !== 0 && seq !== one.seq + 1) throw new Error(`line ${seq} came after ${one.seq}`)
      one.seq = seq
      bytes += payload.length
      if (++one.lines === lines) socket.destroy()
    })
    sockets.push(socket)
  }
  const until = performance.now() + LISTEN_DEADLINE_MS
  while (progress.some((one) => one.lines < lines)) {
    const lost = progress.filter((one, i) => one.lines < lines && sockets[i]!.destroyed)
    if (lost.length > 0 || performance.now() > until)
      throw new Error(`${lost.length} listeners were lost, of ${progress.length}`)
    await sleep(20)
  }
  return { lines: progress.length * lines, bytes }
}

const work = { submit, resolve, listen }[positionals[0] as 'submit' | 'resolve' | 'listen']
console.log(JSON.stringify(await work()))
