import { importKeypair, type Keypair } from '@imago/crypto'
import { BlockMap, cidOfDrisl, type DataMap, encode, type Value, writeCar } from '@imago/data'
import type { DidIdentity, Identity } from '@imago/identity'
import { IdentityError } from '@imago/identity'
import { type CommitResult, type RepoHead, type RepoWrite, writeCommit } from '@imago/repo'
import { createTidClock, type Did, type Handle, type TidClock } from '@imago/syntax'
import { encodeErrorFrame, encodeFrame } from '@imago/xrpc/frames'
import type { Random } from './random.ts'

/*
 * PDSs in memory: accounts that sign real commits, a stream that replays from any cursor, and a directory that knows
 * them. Honest by default; a test changes a body before it is sent, or sends bytes of its own.
 */

type Changes = { readonly [field: string]: Value | undefined }

/** A message under way: its type and body, without the number that it gets when it is sent. */
export interface FakeEvent {
  readonly type: string
  readonly body: DataMap
}

/** An account that commits. */
export class FakeAccount {
  readonly did: Did
  handle: Handle
  keypair: Keypair
  /** Whose identity document names it. */
  host: FakeHost
  readonly blocks = new BlockMap()
  head: RepoHead | null = null
  /** Its newest commit. */
  latest: CommitResult | undefined
  readonly #clock: TidClock
  readonly #now: () => number
  #records = 0

  constructor(options: { did: Did; handle: Handle; keypair: Keypair; host: FakeHost; now: () => number }) {
    this.did = options.did
    this.handle = options.handle
    this.keypair = options.keypair
    this.host = options.host
    this.#now = options.now
    this.#clock = createTidClock({ nowMicros: () => options.now() * 1000, clockId: 1 })
  }

  get #time(): string {
    return new Date(this.#now()).toISOString()
  }

  /** A new record under a new key. */
  create(): RepoWrite {
    const n = this.#records++
    const bytes = encode({ $type: 'com.example.note', text: `note ${n} of ${this.did}` })
    return { action: 'create', path: `com.example.note/n${n}`, block: { cid: cidOfDrisl(bytes), bytes } }
  }

  /** Makes the next commit; by default with one new record. */
  write(...writes: RepoWrite[]): CommitResult {
    const result = writeCommit({
      did: this.did,
      source: this.blocks,
      head: this.head,
      writes: writes.length > 0 ? writes : [this.create()],
      rev: this.#clock.next(this.head?.rev),
      keypair: this.keypair,
    })
    this.blocks.addAll(result.newBlocks)
    this.head = { data: result.tree.root, rev: result.signed.commit.rev }
    this.latest = result
    return result
  }

  /** Makes the next commit, and the event that tells of it. */
  commit(changes: Changes = {}, ...writes: RepoWrite[]): FakeEvent {
    return this.commitEvent(this.write(...writes), changes)
  }

  commitEvent({ signed, since, prevData, frameBlocks, ops }: CommitResult, changes: Changes = {}): FakeEvent {
    return event('#commit', {
      repo: this.did,
      commit: signed.cid,
      rev: signed.commit.rev,
      since,
      prevData: prevData ?? undefined,
      blocks: writeCar([signed.cid], frameBlocks),
      ops: ops.map(({ action, path, cid, prev }) => ({ action, path, cid, ...(prev && { prev }) })),
      blobs: [],
      tooBig: false,
      rebase: false,
      time: this.#time,
      ...changes,
    })
  }

  sync(changes: Changes = {}): FakeEvent {
    const { signed } = this.latest!
    const blocks = writeCar([signed.cid], [signed])
    return event('#sync', { did: this.did, rev: signed.commit.rev, blocks, time: this.#time, ...changes })
  }

  identity(changes: Changes = {}): FakeEvent {
    return event('#identity', { did: this.did, handle: this.handle, time: this.#time, ...changes })
  }

  status(active: boolean, status?: string, changes: Changes = {}): FakeEvent {
    return event('#account', { did: this.did, active, status, time: this.#time, ...changes })
  }
}

function event(type: string, fields: Changes): FakeEvent {
  const body: DataMap = {}
  for (const [field, value] of Object.entries(fields)) if (value !== undefined) body[field] = value
  return { type, body }
}

/** One host: a stream with a memory. */
export class FakeHost {
  readonly hostname: string
  /** Frames by number; bytes of a test's own have none, and are not replayed. */
  readonly frames: { readonly seq: number; readonly bytes: Uint8Array }[] = []
  /** Cursors that readers came with, in order. */
  readonly cursors: (number | undefined)[] = []
  /** Refuse connections, as a host that is down. */
  down = false
  /** What is answered over HTTP, by method. */
  readonly answers = new Map<string, (url: URL) => Response>()
  seq = 0
  readonly #readers = new Set<FakeSocket>()

  constructor(hostname: string) {
    this.hostname = hostname
    this.answers.set('com.atproto.server.describeServer', () =>
      Response.json({ did: `did:web:${hostname}`, availableUserDomains: [] }),
    )
  }

  get readers(): number {
    return this.#readers.size
  }

  /** Sends events, numbering them. Returns the last number. */
  send(...events: readonly FakeEvent[]): number {
    for (const { type, body } of events) {
      const seq = ++this.seq
      const bytes = encodeFrame(type, { ...body, seq })
      this.frames.push({ seq, bytes })
      this.sendRaw(bytes)
    }
    return this.seq
  }

  /** Sends bytes as they are, to those who read now. */
  sendRaw(bytes: Uint8Array): void {
    for (const reader of this.#readers) reader.receive(bytes)
  }

  /** Loses the sequence, as a host that was installed anew. */
  wipe(): void {
    this.seq = 0
    this.frames.length = 0
    this.disconnect()
  }

  /** Closes all connections. */
  disconnect(): void {
    for (const reader of this.#readers) reader.drop()
  }

  /** What a reader's WebSocket is made with. */
  open(url: URL): WebSocket {
    const cursor =
      url.searchParams.get('cursor') === null ? undefined : Number(url.searchParams.get('cursor'))
    this.cursors.push(cursor)
    const socket = new FakeSocket(() => this.#readers.delete(socket))
    queueMicrotask(() => {
      if (this.down) return socket.drop()
      socket.accept()
      if (cursor !== undefined && cursor > this.seq) {
        socket.receive(encodeErrorFrame('FutureCursor', `cursor ${cursor} is in the future`))
        return socket.drop()
      }
      this.#readers.add(socket)
      if (cursor !== undefined)
        for (const { seq, bytes } of this.frames) if (seq > cursor) socket.receive(bytes)
    })
    return socket as unknown as WebSocket
  }

  fetch(url: URL): Response {
    const answer = this.answers.get(url.pathname.replace('/xrpc/', ''))
    return answer?.(url) ?? Response.json({ error: 'MethodNotImplemented' }, { status: 501 })
  }
}

/** As much of a WebSocket as a reader of a stream uses. */
class FakeSocket extends EventTarget {
  binaryType = 'arraybuffer'
  readonly protocol = ''
  readonly #onClosed: () => void
  #closed = false

  constructor(onClosed: () => void) {
    super()
    this.#onClosed = onClosed
  }

  accept(): void {
    if (!this.#closed) this.dispatchEvent(new Event('open'))
  }

  receive(bytes: Uint8Array): void {
    if (!this.#closed) this.dispatchEvent(new MessageEvent('message', { data: bytes.slice().buffer }))
  }

  /** The peer goes away. */
  drop(): void {
    if (this.#closed) return
    this.close()
    this.dispatchEvent(Object.assign(new Event('close'), { code: 1006, reason: '' }))
  }

  close(): void {
    this.#closed = true
    this.#onClosed()
  }
}

/** Hosts and accounts that know one another, and the directory in which they are found. */
export interface FakeNetwork {
  host(hostname: string): FakeHost
  /** A new account at a host. The same seed gives the same keys and DIDs. */
  account(host: FakeHost): FakeAccount
  /** The directory as a service is given it. */
  readonly directory: FakeDirectory
  /** Makes the WebSocket to the host in an address; one that nobody made is down. */
  open(url: URL): WebSocket
  fetch(input: string | URL | Request): Promise<Response>
}

/** A directory that remembers what it was asked, and keeps an answer until it is told to ask anew. */
export interface FakeDirectory {
  resolveDid(did: Did, options?: { readonly refresh?: boolean }): Promise<DidIdentity>
  resolve(did: Did, options?: { readonly refresh?: boolean }): Promise<Identity>
  /** How often each DID was asked for anew. */
  readonly refreshes: ReadonlyMap<Did, number>
  /** Answers come when what this returns resolves. */
  delay: ((did: Did) => Promise<void> | undefined) | undefined
  /** DIDs that cannot be resolved. */
  readonly unknown: Set<Did>
  /** DIDs that their owners ended. */
  readonly ended: Set<Did>
}

export function createFakeNetwork(options: { random: Random; now: () => number }): FakeNetwork {
  const { random, now } = options
  const hosts = new Map<string, FakeHost>()
  const accounts = new Map<Did, FakeAccount>()
  const directory = createFakeDirectory(accounts)
  const hostOf = (url: URL): FakeHost => {
    const known = hosts.get(url.host)
    if (known) return known
    const nobody = new FakeHost(url.host)
    nobody.down = true
    nobody.answers.clear()
    return nobody
  }
  return {
    directory,
    host(hostname) {
      const host = new FakeHost(hostname)
      hosts.set(hostname, host)
      return host
    },
    account(host) {
      const name = Array.from({ length: 24 }, () =>
        random.pick([...'abcdefghijklmnopqrstuvwxyz234567']),
      ).join('')
      const account = new FakeAccount({
        did: `did:plc:${name}`,
        handle: `${name.slice(0, 8)}.test`,
        keypair: newKeypair(random),
        host,
        now,
      })
      accounts.set(account.did, account)
      return account
    },
    open: (url) => hostOf(url).open(url),
    async fetch(input) {
      const url = new URL(input instanceof Request ? input.url : input)
      const host = hostOf(url)
      if (host.down) throw new TypeError('fetch failed')
      return host.fetch(url)
    },
  }
}

/** Keys of the seed, so that a failure can be seen again. */
export function newKeypair(random: Random): Keypair {
  return importKeypair('k256', random.bytes(32))
}

function createFakeDirectory(accounts: ReadonlyMap<Did, FakeAccount>): FakeDirectory {
  const cache = new Map<Did, DidIdentity>()
  const refreshes = new Map<Did, number>()
  const directory: FakeDirectory = {
    refreshes,
    delay: undefined,
    unknown: new Set(),
    ended: new Set(),
    async resolveDid(did, { refresh = false } = {}) {
      await directory.delay?.(did)
      if (refresh) refreshes.set(did, (refreshes.get(did) ?? 0) + 1)
      const known = refresh ? undefined : cache.get(did)
      if (known) return known
      const account = accounts.get(did)
      if (directory.ended.has(did)) throw new IdentityError('DidDeactivated', `${did} was ended`)
      if (account === undefined || directory.unknown.has(did))
        throw new IdentityError('DidNotFound', `${did} is not registered`)
      const { handle, keypair, host } = account
      const scheme = host.hostname.startsWith('localhost') ? 'http' : 'https'
      const identity: DidIdentity = {
        did,
        document: { id: did },
        data: { did, handle },
        signingKey: keypair.publicKey,
        pds: `${scheme}://${host.hostname}`,
      }
      cache.set(did, identity)
      return identity
    },
    async resolve(did, options) {
      const identity = await directory.resolveDid(did, options)
      return { ...identity, handle: accounts.get(did)!.handle }
    },
  }
  return directory
}
