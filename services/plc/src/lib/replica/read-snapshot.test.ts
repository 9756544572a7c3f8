import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { generateKeypair } from '@imago/crypto'
import { encode } from '@imago/data'
import {
  createGenesis,
  type Operation,
  operationBytes,
  operationCid,
  tombstoneOperation,
  updateOperation,
} from '@imago/identity/plc'
import { serve } from '@imago/service'
import {
  createSigningKey,
  createTreeAppender,
  hashLeaf,
  parseVkey,
  readEntryBundle,
  signCheckpoint,
  tilePath,
  writeEntryBundle,
} from '@imago/tlog'
import { createPlc, type Plc, type PlcOptions } from '../create-plc.ts'
import { decodeLogEntry, encodeLogEntry } from '../transparency/log-entry.ts'
import type { ReplicaOptions } from './open-replica.ts'

/** Both on the curve that is verified eight times as fast: most of a replay is signatures. */
const [owner, host] = [generateKeypair('k256'), generateKeypair('k256')]
const RUN = 256
const BUNDLES = 6
const OPERATIONS = BUNDLES * RUN + 40

let folder: string
let upstream: Plc
/** A replica that observes, whose numbers have gaps in its log. */
let observer: Plc

const transparency = (origin: string) => ({ origin, seed: new Uint8Array(32).fill(5) })

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'imago-bootstrap-'))
  upstream = await createPlc({
    databaseFile: ':memory:',
    writeLimits: false,
    transparency: transparency('upstream.test/log'),
    snapshots: { folder: join(folder, 'upstream'), level: 1 },
  })
  await fill(upstream)
  await settle(upstream)
})
after(async () => {
  await observer?.[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

async function settle(plc: Plc): Promise<void> {
  await plc.transparencyLog!.publish()
  await plc.snapshots!.idle()
}

async function submit(plc: Plc, did: string, operation: Operation): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const response = await plc.fetch(
    new Request(`http://plc/${did}`, { method: 'POST', headers, body: JSON.stringify(operation) }),
  )
  assert.equal(response.status, 200, await response.text())
}

const isStolen = (index: number) => index % 10 === 0

/** Most DIDs have one operation; every tenth was stolen and rescued, and every twentieth has ended besides. */
async function fill(plc: Plc): Promise<void> {
  const dids = Array.from({ length: Math.floor((OPERATIONS * 4) / 5) }, (_, i) => {
    const keys = isStolen(i) ? [owner, host] : [owner]
    return createGenesis(
      {
        rotationKeys: keys.map(({ didKey }) => didKey),
        verificationMethods: {},
        alsoKnownAs: [`n${i}`],
        services: {},
      },
      keys.at(-1)!,
    )
  })
  await Promise.all(dids.map(({ did, operation }) => submit(plc, did, operation)))
  const stolen = dids.filter((_, i) => isStolen(i))
  const rescued = stolen.map(({ did, operation }) => ({
    did,
    operation: updateOperation(operation, { alsoKnownAs: ['rescued'] }, owner),
  }))
  for (const { did, operation } of stolen)
    await submit(plc, did, updateOperation(operation, { alsoKnownAs: ['stolen'] }, host))
  await Promise.all(rescued.map(({ did, operation }) => submit(plc, did, operation)))
  for (const { did, operation } of rescued.slice(0, OPERATIONS - dids.length - 2 * stolen.length))
    await submit(plc, did, tombstoneOperation(operation, owner))
}

/** Waits for what happens on its own. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    assert.ok(tries < 1000, `never: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const get = async (plc: Plc, path: string) => await plc.fetch(new Request(`http://plc${path}`))
const text = async (plc: Plc, path: string) => await (await get(plc, path)).text()
const vkeyOf = (plc: Plc) => parseVkey(plc.transparencyLog!.vkeys[0]!)

/** Asks a directory without a socket; `change` may answer in its place. There is no stream: pages end the catching up. */
function reach(
  plc: Plc,
  change: (path: string, response: Response) => Response | Promise<Response> = (_, r) => r,
) {
  const asked: string[] = []
  const fetch = (async (input: string, init?: RequestInit) => {
    init?.signal?.throwIfAborted()
    const { pathname, search } = new URL(input)
    asked.push(pathname)
    return await change(pathname, await plc.fetch(new Request(`http://plc${pathname}${search}`)))
  }) as typeof globalThis.fetch
  return { asked, fetch, count: (prefix: string) => asked.filter((path) => path.startsWith(prefix)).length }
}

interface Logged {
  readonly level: string
  readonly message: string
  readonly err?: Error
}

async function replicaOf(replica: Partial<ReplicaOptions>, others: Partial<PlcOptions> = {}) {
  const logged: Logged[] = []
  const log = (level: string) => (fields: object, message: string) =>
    void logged.push({ ...fields, level, message })
  const plc = await createPlc({
    databaseFile: ':memory:',
    logger: { error: log('error'), warn: log('warn'), info: log('info') },
    replica: { upstream: 'http://127.0.0.1:1', workers: 0, ...replica },
    ...others,
  })
  const told = () => logged.map(({ message, err }) => err?.message ?? message).join('\n')
  return { plc, logged, told, [Symbol.asyncDispose]: () => plc[Symbol.asyncDispose]() }
}

async function assertSame(replica: Plc, of: Plc = upstream): Promise<void> {
  await until(() => replica.replica!.state.isCaughtUp)
  for (const path of ['/export', '/export?after=0', '/export?after=1000'])
    assert.equal(await text(replica, path), await text(of, path), path)
  const { refused, outOfOrder, unreadable } = replica.replica!.state.totals
  assert.deepEqual({ refused, outOfOrder, unreadable }, { refused: 0, outOfOrder: 0, unreadable: 0 })
}

test('[PLC-30] [PLC-31] a replica begins with the snapshot, whose log a pinned key signs, and ends with pages', async () => {
  const { fetch, count } = reach(upstream)
  await using replica = await replicaOf({ fetch, logKey: vkeyOf(upstream) })
  await assertSame(replica.plc)
  assert.equal(count('/snapshot/'), BUNDLES)
  assert.equal(count('/export'), 1, 'what no bundle has yet comes by pages')
  assert.equal(replica.plc.replica!.state.totals.accepted, OPERATIONS)
  assert.doesNotMatch(replica.told(), /only the upstream vouches/)
  const taken = replica.logged.filter(({ message }) => message === 'a bundle of the snapshot is taken')
  assert.equal(taken.length, BUNDLES)
})

test('without a key it is said that only the upstream vouches', async () => {
  const { fetch, count } = reach(upstream)
  await using replica = await replicaOf({ fetch })
  await assertSame(replica.plc)
  assert.equal(count('/snapshot/'), BUNDLES)
  assert.match(replica.told(), /only the upstream vouches for order, times and completeness/)
})

test('an observed log has numbers with gaps, and its bundles tell them', async () => {
  const lines = (await text(upstream, '/export?after=0')).split('\n').map((line) => JSON.parse(line))
  const page = (await text(upstream, '/export?after=1000')).split('\n').map((line) => JSON.parse(line))
  const spread = [...lines, ...page].map((line) => JSON.stringify({ ...line, seq: 3 * line.seq }))
  const { fetch } = reach(upstream, (path) =>
    path === '/export' ? new Response(spread.splice(0, 1000).join('\n')) : new Response('', { status: 404 }),
  )
  const first = await replicaOf(
    { fetch },
    {
      transparency: transparency('observer.test/log'),
      snapshots: { folder: join(folder, 'observer'), level: 1 },
    },
  )
  observer = first.plc
  await until(() => observer.replica!.state.isCaughtUp)
  await settle(observer)
  const list = JSON.parse(await text(observer, '/snapshot'))
  assert.deepEqual([list.bundles[1].firstSeq, list.bundles[1].lastSeq], [3 * 257, 3 * 512])
  const other = reach(observer)
  await using second = await replicaOf({ fetch: other.fetch, logKey: vkeyOf(observer) })
  await assertSame(second.plc, observer)
  assert.equal(other.count('/snapshot/'), BUNDLES)
})

test('a replica that stopped goes on in the middle of a bundle, and one that lacks little reads pages', async () => {
  const databaseFile = join(folder, 'stopped.sqlite')
  {
    const { fetch, asked } = reach(upstream, (path, response) => {
      if (path !== '/snapshot/1') return response
      const broken = async function* () {
        const bytes = new Uint8Array(await response.arrayBuffer())
        yield bytes.subarray(0, 5000)
        throw new Error('the line was cut')
      }
      return new Response(ReadableStream.from(broken()), response)
    })
    await using replica = await replicaOf({ fetch }, { databaseFile })
    await until(() => replica.plc.replica!.state.mode === 'waiting')
    assert.equal((await replica.plc.store.latest())?.seq, RUN)
    assert.match(replica.told(), /\/snapshot\/1 was lost: the line was cut/)
    assert.ok(!asked.includes('/export'))
  }
  const { fetch, asked } = reach(upstream)
  await using replica = await replicaOf({ fetch }, { databaseFile })
  await assertSame(replica.plc)
  assert.deepEqual(
    asked.filter((path) => path.startsWith('/snapshot')),
    ['/snapshot', '/snapshot/1', '/snapshot/2', '/snapshot/3', '/snapshot/4', '/snapshot/5'],
  )
  await replica[Symbol.asyncDispose]()

  const little = reach(upstream)
  await using again = await replicaOf({ fetch: little.fetch }, { databaseFile })
  await assertSame(again.plc)
  assert.equal(little.count('/snapshot/'), 0)
})

test('[PLC-30] kill -9 between bundles: the next process goes on at the bundle that was begun', async () => {
  const asked: string[] = []
  let onAsked: (path: string) => Promise<unknown> | undefined = () => undefined
  await using server = await serve({
    async fetch(request) {
      const { pathname } = new URL(request.url)
      asked.push(pathname)
      await onAsked(pathname)
      return upstream.fetch(request)
    },
    upgrade: upstream.upgrade,
    hostname: '127.0.0.1',
    port: 0,
  })
  const databaseFile = join(folder, 'killed.sqlite')
  const start = () =>
    spawn(process.execPath, [fileURLToPath(new URL('../../main.ts', import.meta.url))], {
      env: {
        PATH: process.env['PATH'],
        PLC_PORT: '0',
        PLC_HOSTNAME: '127.0.0.1',
        PLC_DATABASE_FILE: databaseFile,
        PLC_UPSTREAM: server.url,
        PLC_UPSTREAM_LOG_KEY: vkeyOf(upstream).vkey,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  const first = start()
  const gone = once(first, 'exit')
  onAsked = (path) => {
    if (path !== '/snapshot/2') return undefined
    first.kill('SIGKILL')
    return gone
  }
  await gone
  assert.equal(first.signalCode, 'SIGKILL')
  assert.deepEqual(
    asked.splice(0).filter((path) => /^\/(?:snapshot|export)/.test(path)),
    ['/snapshot', '/snapshot/0', '/snapshot/1', '/snapshot/2'],
  )

  const { promise: caughtUp, resolve } = Promise.withResolvers<void>()
  onAsked = (path) => {
    if (path === '/export') resolve()
    return undefined
  }
  const second = start()
  await caughtUp
  second.kill('SIGTERM')
  await once(second, 'exit')
  const [, begun] = asked.filter((path) => path.startsWith('/snapshot'))
  assert.match(begun!, /^\/snapshot\/[12]$/, 'what was flushed is not read again')
  await using replica = await replicaOf({ fetch: reach(upstream).fetch }, { databaseFile })
  await assertSame(replica.plc)
  assert.deepEqual(await replica.plc.store.evidence({ after: 0, limit: 10 }), [])
})

test('a line that is cut again and again leads to pages', async () => {
  const { fetch, count } = reach(upstream, (path, response) =>
    path === '/snapshot/0' ? new Response('busy', { status: 503 }) : response,
  )
  await using replica = await replicaOf({ fetch })
  await assertSame(replica.plc)
  assert.equal(count('/snapshot/0'), 2)
  assert.match(replica.told(), /\/snapshot\/0 answered 503/)
})

test('an upstream without a snapshot is read by pages, and nothing is said', async () => {
  for (const answer of [
    () => Response.json({ message: 'DID not registered: snapshot' }, { status: 404 }),
    () => new Response('<html>', { headers: { 'content-type': 'text/html' } }),
  ]) {
    const { fetch, count } = reach(upstream, (path, response) =>
      path.startsWith('/snapshot') ? answer() : response,
    )
    await using replica = await replicaOf({ fetch })
    await assertSame(replica.plc)
    assert.equal(count('/snapshot'), 1)
    assert.equal(replica.told().includes('snapshot'), false)
  }
})

test('the log goes on while bundles are read: the checkpoint that came with the list is what counts', async () => {
  const { fetch, count } = reach(upstream, async (path, response) => {
    if (path === '/snapshot/2') {
      const { did, operation } = createGenesis(
        { rotationKeys: [owner.didKey], verificationMethods: {}, alsoKnownAs: ['late'], services: {} },
        owner,
      )
      await submit(upstream, did, operation)
      await settle(upstream)
    }
    return response
  })
  await using replica = await replicaOf({ fetch, logKey: vkeyOf(upstream) })
  await assertSame(replica.plc)
  assert.equal(count('/snapshot/'), BUNDLES)
})

/** What an upstream may send for one path, and what is said of it. Pages end it well each time. */
const FAULTS: readonly {
  readonly what: string
  readonly path: string
  readonly change: (bytes: Buffer) => Uint8Array | string
  readonly said: RegExp
  /** Operations that were taken before. */
  readonly taken: number
}[] = [
  {
    what: 'a bundle cut short',
    path: '/snapshot/1',
    change: (bytes) => bytes.subarray(0, -100),
    said: /bundle 1 of upstream.test\/log cannot be read: unexpected end of file/,
    taken: RUN,
  },
  {
    what: 'a flipped bit in the frame',
    path: '/snapshot/1',
    change: (bytes) => Buffer.from(bytes).fill(bytes[9000]! ^ 1, 9000, 9001),
    said: /bundle 1 of upstream.test\/log(?: cannot be read|: the entries from 256 on are not those)/,
    taken: RUN,
  },
  {
    what: 'a flipped bit in an entry',
    path: '/snapshot/1',
    change: (bytes) => changed(bytes, (plain) => plain.fill(plain[9000]! ^ 1, 9000, 9001)),
    said: /bundle 1 of upstream.test\/log: the entries from 256 on are not those that the log has hashed/,
    taken: RUN,
  },
  {
    what: 'entries that changed places',
    path: '/snapshot/1',
    change: (bytes) => changed(bytes, (plain) => writeEntryBundle(readEntryBundle(plain, RUN).toReversed())),
    said: /the entries from 256 on are not those that the log has hashed/,
    taken: RUN,
  },
  {
    what: 'a bomb',
    path: '/snapshot/0',
    change: () => zstdCompressSync(Buffer.alloc(32 << 20)),
    said: /the entries from 0 on are not those|it holds more than 256 entries/,
    taken: 0,
  },
  {
    what: 'a list that is none',
    path: '/snapshot',
    change: () => '{"checkpoint":"no","bundles":[]}',
    said: /\/snapshot is not a list of bundles: /,
    taken: 0,
  },
  {
    what: 'a bundle of unknown size',
    path: '/snapshot',
    change: (bytes) => bytes.toString().replaceAll('"count":256', '"count":512'),
    said: /bundles of 512 entries are not known here/,
    taken: 0,
  },
  {
    what: 'more bundles than the log has entries',
    path: '/snapshot',
    change: (bytes) => {
      const list = JSON.parse(bytes.toString())
      return JSON.stringify({ ...list, bundles: [...list.bundles, ...list.bundles] })
    },
    said: /12 bundles of 256 entries are not within a log of 1\d{3}/,
    taken: 0,
  },
  {
    what: 'a root that is not in the tiles',
    path: '/snapshot',
    change: (bytes) => {
      const list = JSON.parse(bytes.toString())
      list.bundles[2].root = list.bundles[3].root
      return JSON.stringify(list)
    },
    said: /bundle 2 of upstream.test\/log is announced with a root that is not the log's/,
    taken: 2 * RUN,
  },
  {
    what: 'a tile with a flipped bit',
    path: '/log/tile/1/000.p/6',
    change: (bytes) => Buffer.from(bytes).fill(bytes[40]! ^ 1, 40, 41),
    said: /tiles at the right edge of the log do not lead to its root/,
    taken: 0,
  },
]

for (const [i, { what, path, change, said, taken }] of FAULTS.entries())
  test(`[PLC-30] ${what} is told, and no more is taken of the snapshot`, async () => {
    let hit = 0
    const { fetch } = reach(upstream, async (asked, response) => {
      // Read once, and not for each of them.
      if (asked === '/export' && i > 0) return new Response(null, { status: 503 })
      if (asked !== path) return response
      hit++
      const bytes = change(Buffer.from(await response.arrayBuffer()))
      return new Response(bytes as Uint8Array<ArrayBuffer>, { headers: response.headers })
    })
    await using replica = await replicaOf({ fetch })
    await until(() => said.test(replica.told()))
    assert.ok(hit > 0, 'the fault fired')
    if (i === 0) await assertSame(replica.plc)
    const bundles = replica.logged.filter(({ message }) => message === 'a bundle of the snapshot is taken')
    assert.equal(bundles.length * RUN, taken)
  })

/** The same frame around other entries. */
function changed(bytes: Buffer, change: (plain: Buffer) => Uint8Array): Uint8Array {
  return zstdCompressSync(change(zstdDecompressSync(bytes)))
}

test('the log of somebody else is not taken for the one whose key is pinned', async () => {
  const { verifier } = createSigningKey('upstream.test/log', 'ed25519', new Uint8Array(32).fill(9))
  const { fetch, count } = reach(upstream)
  await using replica = await replicaOf({ fetch, logKey: verifier })
  await assertSame(replica.plc)
  assert.equal(count('/snapshot/'), 0)
  assert.match(replica.told(), /bears no signature of a known key of that log/)
  const none = reach(upstream, (path, response) =>
    path === '/snapshot' ? new Response('', { status: 404 }) : response,
  )
  await using other = await replicaOf({ fetch: none.fetch, logKey: verifier })
  await assertSame(other.plc)
  assert.match(other.told(), /offers no snapshot that its log vouches for/)
})

/** An upstream that makes a log of whatever entries it likes. */
function forge(entries: readonly Uint8Array[], firstSeqs: readonly number[]) {
  const key = createSigningKey('forged.test/log', 'ed25519', new Uint8Array(32).fill(1))
  const tree = createTreeAppender()
  const hashes: Uint8Array[][] = [[], []]
  for (const entry of entries) tree.append(hashLeaf(entry), (level, _, hash) => hashes[level]!.push(hash))
  const { size } = tree
  const bundles = firstSeqs.map((firstSeq, i) => ({
    firstSeq,
    lastSeq: 100_000,
    count: RUN,
    bytes: 1,
    root: hashes[1]![i]!.toBase64(),
  }))
  const checkpoint = signCheckpoint({ origin: key.name, size, root: tree.root() }, [key])
  const answers = new Map<string, Uint8Array | string>([
    ['/snapshot', JSON.stringify({ checkpoint, bundles })],
    [`/log/${tilePath({ level: 1, index: 0, width: bundles.length })}`, Buffer.concat(hashes[1]!)],
    ...bundles.map(
      (_, i) =>
        [
          `/snapshot/${i}`,
          zstdCompressSync(writeEntryBundle(entries.slice(i * RUN, (i + 1) * RUN))),
        ] as const,
    ),
  ])
  return {
    logKey: key.verifier,
    ...reach(upstream, (path, response) => {
      const answer = answers.get(path)
      if (answer === undefined) return response
      const headers = { 'content-type': path === '/snapshot' ? 'application/json' : 'application/zstd' }
      return new Response(answer as string, { headers })
    }),
  }
}

async function entriesOf(index: number): Promise<readonly Uint8Array[]> {
  const bundle = await (await get(upstream, `/log/tile/entries/00${index}`)).arrayBuffer()
  return readEntryBundle(new Uint8Array(bundle), RUN)
}

test('[PLC-33] a signed log may still be wrong: what is not an entry stops it, what may not stand is evidence, and a notice says so', async () => {
  const entries = await entriesOf(0)
  const later = encode({ v: 2, did: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa' })
  const unknown = forge([...entries.slice(0, 255), later], [1])
  await using first = await replicaOf({ fetch: unknown.fetch, logKey: unknown.logKey })
  await assertSame(first.plc)
  assert.match(first.told(), /entry 255 is of a kind that is not known here .*: a later version may know it/)

  const repeated = forge(
    entries.map((bytes, i) =>
      encodeLogEntry({ ...decodeLogEntry(bytes), upstreamSeq: i === 200 ? 5 : i + 1 }),
    ),
    [1],
  )
  await using second = await replicaOf({ fetch: repeated.fetch, logKey: repeated.logKey })
  await assertSame(second.plc)
  assert.match(second.told(), /entry 200 has number 5, after number 200/)

  const genesis = createGenesis(
    { rotationKeys: [owner.didKey], verificationMethods: {}, alsoKnownAs: ['forged'], services: {} },
    owner,
  )
  const { did } = genesis
  const { sig } = tombstoneOperation(genesis.operation, owner)
  const operation = { ...genesis.operation, sig }
  const cid = operationCid(operation)
  const refused = encode({ v: 1, did, cid, op: operationBytes(operation), t: 1 })
  const garbled = encode({ v: 1, did, cid, op: encode({ type: 'nothing' }), t: 1 })
  const notice = { kind: 'withdrawal', did, cid, createdAt: 2, reason: 'forged' } as const
  const bad = forge([refused, garbled, encodeLogEntry(notice), ...entries.slice(3)], [1])
  await using third = await replicaOf({ fetch: bad.fetch, logKey: bad.logKey })
  await until(() => third.plc.replica!.state.isCaughtUp)
  const { refused: count, unreadable, withdrawn } = third.plc.replica!.state.totals
  assert.ok(count >= 1)
  assert.deepEqual({ unreadable, withdrawn }, { unreadable: 1, withdrawn: 1 })
  const [withdrawal] = await third.plc.store.withdrawals(did)
  assert.deepEqual(
    [withdrawal?.seq, withdrawal?.reason, withdrawal?.operations.map(({ seq }) => seq)],
    [3, 'forged', [1]],
    'what was refused before is told along with its notice',
  )
  const evidence = await third.plc.store.evidence({ after: 0, limit: 10 })
  assert.ok(evidence.some(({ seq, json }) => seq === 1 && json.includes('forged')))
  assert.ok(evidence.some(({ seq, reason }) => seq === 2 && /Not a valid operation/.test(reason)))
})

test('a list that lies about where a bundle begins leaves nothing out', async () => {
  const databaseFile = join(folder, 'gap.sqlite')
  {
    // Has the first hundred by pages, and nothing more.
    const { fetch } = reach(upstream, async (path, response) => {
      if (path === '/snapshot') return new Response('', { status: 404 })
      return new Response((await response.text()).split('\n').slice(0, 100).join('\n'))
    })
    await using replica = await replicaOf({ fetch }, { databaseFile })
    await until(() => replica.plc.replica!.state.isCaughtUp)
    assert.equal((await replica.plc.store.latest())?.seq, 100)
  }
  const liar = forge([...(await entriesOf(0)), ...(await entriesOf(1))], [1, 101])
  await using replica = await replicaOf({ fetch: liar.fetch, logKey: liar.logKey }, { databaseFile })
  await assertSame(replica.plc)
  assert.match(replica.told(), /bundle 1 of forged.test\/log begins with number 257, not 101/)
})
