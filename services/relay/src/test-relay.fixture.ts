import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger, createMetrics } from '@imago/service'
import { createManualClock } from '@imago/sim/clock'
import { createFakeNetwork, type FakeHost, type FakeNetwork } from '@imago/sim/fake-host'
import { createRandom } from '@imago/sim/random'
import { parseEvent, type StreamEvent } from '@imago/sync'
import { decodeFrame, type Frame } from '@imago/xrpc/frames'
import { createRelay, type Relay } from './create-relay.ts'
import type { RelayConfig, RelayOptions } from './relay-options.ts'
import type { StateStore } from './state/state-store.ts'
import { openSqliteStateStore } from './state/state-store-sqlite.ts'

/** A message that the relay sent. */
export interface Sent {
  readonly seq: number
  readonly type: string
  readonly frame: Extract<Frame, { kind: 'message' }>
  readonly event: StreamEvent['event']
}

/** A relay over a fake network, on files that outlive it. */
export interface TestRelay extends AsyncDisposable {
  readonly relay: Relay
  readonly network: FakeNetwork
  readonly clock: ReturnType<typeof createManualClock>
  readonly failures: unknown[]
  /** A host that the relay reads already. */
  host(hostname?: string): Promise<FakeHost>
  call(
    nsid: string,
    params?: Record<string, string>,
  ): Promise<{ status: number; body: unknown; headers: Headers }>
  post(nsid: string, input: unknown): Promise<{ status: number; body: unknown }>
  /** All that was passed on since the log began, once there are so many events at least. */
  sent(count: number): Promise<Sent[]>
  /** Until everything that the host has sent is finished. */
  caughtUp(host: FakeHost): Promise<void>
  /** How many events were dropped, by check. */
  drops(): Promise<Record<string, number>>
  metric(text: string): Promise<number>
  /** Closes the relay, as the process does at its end, and opens it again on the same files. */
  restart(options?: Partial<RelayOptions>): Promise<void>
  close(): Promise<void>
  /** Closes the relay, changes its database, and opens it again. */
  editState(edit: (state: StateStore) => void): Promise<void>
  readonly folder: string
}

const FAST = { minDelayMs: 1, maxDelayMs: 4 }

export async function startTestRelay({
  config = {},
  options = {},
  seed = 1,
}: {
  config?: Partial<RelayConfig>
  options?: Partial<RelayOptions>
  seed?: number
} = {}): Promise<TestRelay> {
  const folder = mkdtempSync(join(tmpdir(), 'imago-relay-'))
  const clock = createManualClock()
  const network = createFakeNetwork({ random: createRandom(seed), now: clock.now })
  const failures: unknown[] = []
  let metrics = createMetrics()

  const open = (extra: Partial<RelayOptions> = {}) => {
    metrics = createMetrics()
    return createRelay({
      config: {
        databaseFile: join(folder, 'relay.sqlite'),
        logFolder: join(folder, 'events'),
        allowInsecureHosts: true,
        ...config,
      },
      now: clock.now,
      directory: network.directory,
      fetch: network.fetch as typeof fetch,
      openWebSocket: network.open,
      logger: createLogger({ name: 'relay', level: 'silent' }),
      metrics,
      dialSchedule: FAST,
      checkOutput: true,
      onFailure: (error) => failures.push(error),
      ...options,
      ...extra,
    })
  }
  let relay: Relay | undefined = await open()

  const test: TestRelay = {
    get relay() {
      return relay!
    },
    network,
    clock,
    failures,
    async host(hostname = 'pds.example.com') {
      const host = network.host(hostname)
      const { status, body } = await test.post('com.atproto.sync.requestCrawl', { hostname })
      if (status !== 200) throw new Error(`requestCrawl: ${status} ${JSON.stringify(body)}`)
      await until(() => host.readers > 0)
      return host
    },
    async call(nsid, params = {}) {
      const url = `http://relay.test/xrpc/${nsid}?${new URLSearchParams(params)}`
      const response = await relay!.fetch(new Request(url))
      const text = await response.text()
      return {
        status: response.status,
        body: text === '' ? undefined : JSON.parse(text),
        headers: response.headers,
      }
    },
    async post(nsid, input) {
      const response = await relay!.fetch(
        new Request(`http://relay.test/xrpc/${nsid}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(input),
        }),
      )
      const text = await response.text()
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
    },
    async sent(count) {
      await until(() => relay!.head >= count)
      return await readStream(relay!, 0, count)
    },
    async caughtUp({ hostname, seq }) {
      await until(async () => {
        const { body } = await test.call('com.atproto.sync.getHostStatus', { hostname })
        return (body as { seq?: number }).seq === seq
      })
    },
    async drops() {
      const found: Record<string, number> = {}
      for (const [, check, count] of (await metrics.text()).matchAll(
        /^dropped_events_total\{host="[^"]*",check="([^"]+)"\} (\d+)$/gm,
      ))
        found[check!] = (found[check!] ?? 0) + Number(count)
      return found
    },
    async metric(text) {
      const line = (await metrics.text()).split('\n').find((line) => line.startsWith(`${text} `))
      return line === undefined ? 0 : Number(line.split(' ').at(-1))
    },
    async restart(extra) {
      await test.close()
      relay = await open(extra)
    },
    async close() {
      await relay?.[Symbol.asyncDispose]()
      relay = undefined
    },
    async editState(edit) {
      await test.close()
      const state = openSqliteStateStore(join(folder, 'relay.sqlite'))
      edit(state)
      state[Symbol.dispose]()
      relay = await open()
    },
    folder,
    async [Symbol.asyncDispose]() {
      await test.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return test
}

/** Reads the relay's stream as a client would, until there are `count` messages or it ends. */
export async function readStream(relay: Relay, cursor: number | undefined, count: number): Promise<Sent[]> {
  const query = cursor === undefined ? '' : `?cursor=${cursor}`
  const upgrade = relay.upgrade(new Request(`http://relay.test/xrpc/com.atproto.sync.subscribeRepos${query}`))
  if (upgrade instanceof Response) throw new Error(`${upgrade.status} ${await upgrade.text()}`)
  const stop = new AbortController()
  const sent: Sent[] = []
  for await (const batch of upgrade.messages(stop.signal)) {
    for (const payload of payloadsOf(Buffer.concat(batch))) {
      const frame = decodeFrame(payload)
      if (frame.kind !== 'message') throw new Error(JSON.stringify(frame))
      const parsed = parseEvent(frame.type, frame.body)!
      sent.push({ seq: Number(frame.body['seq']), type: frame.type, frame, event: parsed.event })
    }
    if (sent.length >= count) break
  }
  stop.abort()
  return sent
}

/** The payloads of server frames, one after the other. */
export function* payloadsOf(bytes: Buffer): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const short = bytes[at + 1]! & 0x7f
    const [length, start] =
      short === 127
        ? [Number(bytes.readBigUInt64BE(at + 2)), at + 10]
        : short === 126
          ? [bytes.readUInt16BE(at + 2), at + 4]
          : [short, at + 2]
    yield Uint8Array.from(bytes.subarray(start, start + length))
    at = start + length
  }
}

/** Polls, without a wish about how long it takes: a test that waits in vain is ended by its runner. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 1))
}
