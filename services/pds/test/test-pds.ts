import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createDirectory, createHandleResolver, type Directory } from '@imago/identity'
import { createLogger, createMetrics, type Metrics } from '@imago/service'
import { createManualClock, type ManualClock } from '@imago/sim/clock'
import { createRandom } from '@imago/sim/random'
import type { Did, Handle } from '@imago/syntax'
import { decodeFrame } from '@imago/xrpc/frames'
import { createPds, type Pds, type PdsConfig, type PdsPorts } from '../src/index.ts'
import { createFakePlc, type FakePlc } from './fake-plc.ts'

/** One frame of the stream. */
export interface Event {
  readonly type: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look at events of every type
  readonly body: Record<string, any>
}

export interface TestAccount {
  readonly did: Did
  readonly handle: Handle
  readonly accessJwt: string
  readonly refreshJwt: string
}

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look at answers of every method
  readonly body: any
  readonly headers: Headers
}

export interface CallOptions {
  readonly params?: Record<string, string | number | boolean | readonly string[]>
  readonly body?: unknown
  readonly token?: string
  readonly headers?: Record<string, string>
}

/** A PDS in this process with a clock of its own and a directory in memory; no socket anywhere. */
export interface TestPds extends AsyncDisposable {
  readonly pds: Pds
  readonly clock: ManualClock
  readonly plc: FakePlc
  readonly metrics: Metrics
  readonly folder: string
  readonly logged: string[]
  /** Requests that went out, by address. */
  readonly fetched: { url: string; body: string }[]
  request(path: string, init?: RequestInit): Promise<Response>
  query(nsid: string, options?: CallOptions): Promise<Answer>
  procedure(nsid: string, options?: CallOptions): Promise<Answer>
  createAccount(name: string): Promise<TestAccount>
  /** Events after `cursor` up to now. */
  events(cursor?: number): Promise<Event[]>
  /** Ends it, and opens it again on the same folder. */
  restart(): Promise<TestPds>
}

export const PUBLIC_URL = 'https://pds.test'

export async function openTestPds(
  options: {
    config?: Partial<PdsConfig>
    ports?: Partial<PdsPorts>
    folder?: string
    plc?: FakePlc
    clock?: ManualClock
    seed?: number
  } = {},
): Promise<TestPds> {
  const { seed = 1, clock = createManualClock() } = options
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'imago-pds-'))
  const plc = options.plc ?? createFakePlc(clock.now)
  const random = createRandom(seed)
  const logged: string[] = []
  const fetched: { url: string; body: string }[] = []
  const metrics = createMetrics()
  const config: PdsConfig = {
    dataDirectory: folder,
    blobsDirectory: join(folder, 'blobs'),
    publicUrl: PUBLIC_URL,
    serviceDid: 'did:web:pds.test',
    handleDomains: ['.test'],
    jwtSecret: 'a secret of the tests, long enough',
    adminPassword: 'operator',
    plcRotationKey: new Uint8Array(32).fill(7),
    recoveryDidKey: undefined,
    plcUrl: 'https://plc.test',
    crawlers: [],
    inviteRequired: false,
    blobUploadLimitBytes: 100_000,
    acceptsImports: true,
    maxImportBytes: 100_000_000,
    replayWindowMs: 24 * 3_600_000,
    sequenceStart: 0,
    privacyPolicyUrl: undefined,
    termsOfServiceUrl: undefined,
    contactEmail: undefined,
    ...options.config,
  }
  const pds = await createPds(config, {
    now: clock.now,
    randomBytes: random.bytes,
    logger: createLogger({
      name: 'pds',
      pretty: false,
      destination: { write: (line: string) => void logged.push(line) },
    }),
    metrics,
    fetch: async (input, init) => {
      fetched.push({ url: String(input), body: String(init?.body) })
      return Response.json({})
    },
    directory: directoryOf(plc, clock.now),
    plc,
    scryptCost: { N: 16, r: 8, p: 1 },
    checkOutput: true,
    ...options.ports,
  })

  const request = (path: string, init?: RequestInit) => pds.fetch(new Request(`${PUBLIC_URL}${path}`, init))

  async function call(
    method: string,
    nsid: string,
    { params = {}, body, token, headers = {} }: CallOptions,
  ): Promise<Answer> {
    const query = new URLSearchParams()
    for (const [name, value] of Object.entries(params))
      for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one))
    const isRaw = body instanceof Uint8Array
    const response = await request(`/xrpc/${nsid}?${query}`, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && !isRaw && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: isRaw ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
    })
    const bytes = new Uint8Array(await response.arrayBuffer())
    const isJson = response.headers.get('content-type')?.startsWith('application/json')
    return {
      status: response.status,
      body: isJson ? JSON.parse(new TextDecoder().decode(bytes)) : bytes,
      headers: response.headers,
    }
  }

  const procedure = (nsid: string, callOptions: CallOptions = {}) => call('POST', nsid, callOptions)
  let closed = false
  const close = async () => {
    if (closed) return
    closed = true
    await pds[Symbol.asyncDispose]()
  }
  return {
    pds,
    clock,
    plc,
    metrics,
    folder,
    logged,
    fetched,
    request,
    query: (nsid, callOptions = {}) => call('GET', nsid, callOptions),
    procedure,
    async createAccount(name) {
      const answer = await procedure('com.atproto.server.createAccount', {
        body: { handle: `${name}.test`, email: `${name}@example.com`, password: `password of ${name}` },
      })
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      return answer.body
    },
    events: (cursor = 0) => readEvents(pds, cursor),
    async restart() {
      await close()
      return openTestPds({ ...options, folder, plc, clock, seed: seed + 1 })
    },
    async [Symbol.asyncDispose]() {
      await close()
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** What is in the log reaches a reader within a few turns of the event loop, however slow the machine is. */
const QUIET_TURNS = 20

async function turns(count: number): Promise<undefined> {
  for (let i = 0; i < count; i++) await nextTurn()
  return undefined
}

/** Opens the stream, and reads until nothing more comes. */
export async function readEvents(pds: Pds, cursor: number | undefined): Promise<Event[]> {
  const query = cursor === undefined ? '' : `?cursor=${cursor}`
  const upgrade = pds.upgrade(new Request(`${PUBLIC_URL}/xrpc/com.atproto.sync.subscribeRepos${query}`))
  if (upgrade instanceof Response) throw new Error(`refused: ${upgrade.status} ${await upgrade.text()}`)
  const stop = new AbortController()
  const events: Event[] = []
  const messages = upgrade.messages(stop.signal)[Symbol.asyncIterator]()
  for (;;) {
    const quiet = turns(QUIET_TURNS)
    const next = messages.next()
    const batch = await Promise.race([next, quiet])
    if (batch === undefined || batch.done) {
      stop.abort()
      await next
      return events
    }
    for (const bytes of batch.value) for (const payload of payloadsOf(bytes)) events.push(eventOf(payload))
  }
}

function eventOf(payload: Uint8Array): Event {
  const frame = decodeFrame(payload)
  if (frame.kind === 'message') return { type: frame.type, body: frame.body }
  assert.equal(frame.kind, 'error')
  return { type: 'error', body: { ...frame } }
}

/** What whole, unmasked WebSocket messages carry. */
function* payloadsOf(bytes: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  for (let at = 0; at < bytes.length; ) {
    const short = bytes[at + 1]!
    const head = short < 126 ? 2 : short === 126 ? 4 : 10
    const length =
      short < 126 ? short : short === 126 ? view.getUint16(at + 2) : Number(view.getBigUint64(at + 2))
    yield bytes.subarray(at + head, at + head + length)
    at += head + length
  }
}

function directoryOf(plc: FakePlc, now: () => number): Directory {
  return createDirectory({
    dids: { resolve: async (did) => plc.document(did) },
    handles: createHandleResolver({
      resolveTxt: async () => [],
      fetch: async () => new Response(null, { status: 404 }),
      methods: [
        async (handle) =>
          plc.dids.find((did) => {
            try {
              return plc.document(did).alsoKnownAs?.[0] === `at://${handle}`
            } catch {
              return false
            }
          }),
      ],
    }),
    now,
    freshMs: 0,
    staleMs: 0,
    negativeMs: 0,
  })
}
