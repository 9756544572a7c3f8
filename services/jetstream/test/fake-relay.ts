import { setTimeout as sleep } from 'node:timers/promises'
import { generateKeypair, type Keypair } from '@imago/crypto'
import { BlockMap, type Cid, cidOfDrisl, type DataMap, encode, writeCar } from '@imago/data'
import { type RepoHead, type RepoWrite, writeCommit } from '@imago/repo'
import type { Upgrade } from '@imago/service'
import { createTidClock, type Did, type Tid } from '@imago/syntax'
import { XrpcError } from '@imago/xrpc'
import { encodeErrorFrame, encodeFrame, webSocketMessage } from '@imago/xrpc/frames'
import type { OpenStream } from '../src/lib/ingest/follow-relay.ts'

/** A record to write, or `null` to delete it. */
export type Write = readonly [path: string, record: DataMap | null]

export interface FakeCommit {
  readonly seq: number
  readonly rev: Tid
  /** CID of each write, in order; `undefined` for deletions. */
  readonly cids: readonly (Cid | undefined)[]
}

/** A relay's firehose over accounts of its own, kept from its beginning. */
export interface FakeRelay {
  /** Pass it to `createJetstream`: the stream without a socket. */
  readonly openStream: OpenStream
  /** The stream over a WebSocket. */
  upgrade(request: Request): Upgrade
  commit(did: Did, writes: readonly Write[]): FakeCommit
  /** A message with the next seq, whatever its body. */
  send(type: string, body: DataMap): number
  /** A frame as it is. */
  sendRaw(bytes: Uint8Array): void
  /** Ends every connection; clients come back with their cursors. */
  disconnect(): void
  /** Forgets everything, and counts from 1 again. */
  reset(): void
  /** Cursors that connections came with. */
  readonly cursors: readonly (number | undefined)[]
  /** How many frames were taken from it by {@link openStream}. */
  readonly taken: number
}

interface Account {
  readonly keypair: Keypair
  readonly blocks: BlockMap
  readonly paths: Set<string>
  head: RepoHead | null
}

export const TIME = '2026-01-01T00:00:00.000Z'

/** @param options.inclusive send the event at the cursor once more, as some servers do */
export function createFakeRelay(options: { readonly inclusive?: boolean } = {}): FakeRelay {
  const accounts = new Map<Did, Account>()
  const clock = createTidClock({ nowMicros: () => Date.UTC(2026, 0, 1) * 1000, clockId: 7 })
  let frames: { readonly seq: number; readonly bytes: Uint8Array }[] = []
  let seq = 0
  let era = 0
  let taken = 0
  const cursors: (number | undefined)[] = []
  const sleepers = new Set<() => void>()

  function wake(): void {
    for (const resolve of sleepers) resolve()
    sleepers.clear()
  }

  async function* follow(cursor: number | undefined, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    cursors.push(cursor)
    const began = era
    if (cursor !== undefined && cursor > seq) throw new XrpcError(0, 'FutureCursor', `the newest is ${seq}`)
    const first = cursor === undefined ? seq + 1 : options.inclusive ? cursor : cursor + 1
    let next = frames.findIndex((frame) => frame.seq >= first)
    if (next === -1) next = frames.length
    while (!signal.aborted && era === began) {
      const frame = frames[next]
      if (frame === undefined) {
        const { promise, resolve } = Promise.withResolvers<void>()
        sleepers.add(resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
        await promise
        continue
      }
      next++
      yield frame.bytes
    }
  }

  function sendRaw(bytes: Uint8Array): void {
    frames.push({ seq, bytes })
    wake()
  }

  function send(type: string, body: DataMap): number {
    sendRaw(encodeFrame(type, { ...body, seq: ++seq }))
    return seq
  }

  function accountOf(did: Did): Account {
    const known = accounts.get(did)
    if (known) return known
    const account: Account = {
      keypair: generateKeypair('k256'),
      blocks: new BlockMap(),
      paths: new Set(),
      head: null,
    }
    accounts.set(did, account)
    return account
  }

  return {
    async *openStream(_url, { cursor, signal, onErrorFrame }) {
      while (!signal!.aborted) {
        try {
          for await (const bytes of follow(await cursor!(), signal!)) {
            taken++
            yield bytes
          }
        } catch (error) {
          if (!(error instanceof XrpcError) || onErrorFrame!(error) === 'throw') throw error
        }
        await sleep(1)
      }
    },
    upgrade: (request) => {
      const cursor = new URL(request.url).searchParams.get('cursor')
      return {
        async *messages(signal) {
          for await (const bytes of follow(cursor === null ? undefined : Number(cursor), signal))
            yield [webSocketMessage(bytes, 'binary')]
        },
        errorMessage: (error) =>
          error instanceof XrpcError
            ? webSocketMessage(encodeErrorFrame(error.error, error.message), 'binary')
            : undefined,
      }
    },
    commit: (did, writes) => {
      const account = accountOf(did)
      const cids: (Cid | undefined)[] = []
      const result = writeCommit({
        did,
        source: account.blocks,
        head: account.head,
        rev: clock.next(),
        keypair: account.keypair,
        writes: writes.map(([path, record]): RepoWrite => {
          if (record === null) {
            account.paths.delete(path)
            cids.push(undefined)
            return { action: 'delete', path }
          }
          const bytes = encode(record)
          const cid = cidOfDrisl(bytes)
          cids.push(cid)
          const action = account.paths.has(path) ? 'update' : 'create'
          account.paths.add(path)
          return { action, path, block: { cid, bytes } }
        }),
      })
      account.blocks.addAll(result.newBlocks)
      const { commit, cid } = result.signed
      account.head = { data: commit.data, rev: commit.rev }
      const sent = send('#commit', {
        repo: did,
        commit: cid,
        rev: commit.rev,
        since: result.since,
        ...(result.prevData && { prevData: result.prevData }),
        blocks: writeCar([cid], result.frameBlocks),
        ops: result.ops.map(({ action, path, cid, prev }) => ({ action, path, cid, ...(prev && { prev }) })),
        blobs: [],
        time: TIME,
        tooBig: false,
        rebase: false,
      })
      return { seq: sent, rev: commit.rev, cids }
    },
    send,
    sendRaw,
    disconnect: () => {
      era++
      wake()
    },
    reset: () => {
      frames = []
      seq = 0
      era++
      accounts.clear()
      wake()
    },
    cursors,
    get taken() {
      return taken
    },
  }
}
