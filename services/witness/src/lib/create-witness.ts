import { concatBytes } from '@imago/data'
import { sha256 } from '@imago/data/sha256'
import {
  createSigningKey,
  formatNote,
  formatSignatureLine,
  judgeAddCheckpoint,
  type NoteKey,
  parseAddCheckpoint,
  signText,
  TlogError,
  verifiedSignatures,
} from '@imago/tlog'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { openWitnessStore } from './witness-store.ts'

/** Room for 63 hashes and some twenty signatures, post-quantum ones among them. */
const MAX_BODY_BYTES = 128 * 1024

export interface WitnessOptions {
  /** Name in its signatures. */
  readonly name: string
  /** Secret of its keys, 32 bytes. */
  readonly seed: Uint8Array
  /** Keys of the logs that it watches; the name of a key is the origin of its log. */
  readonly logs: readonly NoteKey[]
  /** Path of the database, made if absent; `:memory:` for a witness that forgets. */
  readonly databaseFile: string
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  /** Told when a log has signed what cannot be. The proof is kept. */
  readonly onMisdeed?: (origin: string, message: string) => void
  readonly onUnexpectedError?: (error: unknown) => void
}

/** A witness, without a socket: pass `fetch` to `serve`. */
export interface WitnessService extends Disposable {
  fetch(request: Request): Promise<Response>
  /** What goes into the policies of those who trust it: post-quantum first. */
  readonly vkeys: readonly string[]
}

/**
 * Opens a witness: it cosigns checkpoints that continue what it cosigned before, and nothing else, so that whoever
 * demands its cosignature sees the same history as everybody.
 * @throws {Error} when the database cannot be opened.
 * @see https://c2sp.org/tlog-witness
 */
export function createWitness(options: WitnessOptions): WitnessService {
  const { name, logs, now, onMisdeed, onUnexpectedError } = options
  const seconds = () => Math.floor(now() / 1000)
  const seedOf = (purpose: string) => sha256(concatBytes([options.seed, new TextEncoder().encode(purpose)]))
  const signers = [
    createSigningKey(name, 'ml-dsa-44-cosignature', seedOf('witness ml-dsa-44'), seconds),
    createSigningKey(name, 'ed25519-cosignature', seedOf('witness ed25519'), seconds),
  ]
  const store = openWitnessStore(options.databaseFile)
  const originOfHash = new Map(
    logs.map(({ name: origin }) => [sha256(new TextEncoder().encode(origin)).toHex(), origin]),
  )
  const keysOf = (origin: string) => {
    const keys = logs.filter((key) => key.name === origin)
    return keys.length > 0 ? keys : undefined
  }

  function addCheckpoint(c: Context, body: string): Response {
    const request = parseAddCheckpoint(body)
    const { note, checkpoint } = request.signed
    const { origin, size, root } = checkpoint
    const logKeys = keysOf(origin)
    const verdict = judgeAddCheckpoint(request, logKeys, store.last(origin))
    if (verdict.status === 409) return sizeConflict(c, verdict.size)
    if (verdict.status !== 200) {
      if (verdict.evidence) {
        store.keepEvidence({ origin, message: verdict.message, request: body }, now())
        onMisdeed?.(origin, verdict.message)
      }
      return c.text(`${verdict.message}\n`, verdict.status)
    }
    const own = signText(note.text, signers)
    const fromLog = verifiedSignatures(note, logKeys!).map(({ verifier, signature }) => ({
      name: verifier.name,
      keyId: verifier.keyId,
      signature,
    }))
    const cosigned = formatNote({ text: note.text, signatures: [...fromLog, ...own] })
    // Nothing leaves before this is durable: a witness that forgets could sign two histories.
    if (!store.advance(origin, request.oldSize, { size, root, note: cosigned }))
      return sizeConflict(c, store.last(origin)?.size ?? 0)
    return c.text(own.map(formatSignatureLine).join(''))
  }

  const app = new Hono()
  const tooLarge = (c: Context) => c.text(`a request has at most ${MAX_BODY_BYTES} bytes\n`, 413)
  app.post('/add-checkpoint', bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }), async (c) => {
    const body = await c.req.text()
    try {
      return addCheckpoint(c, body)
    } catch (error) {
      if (error instanceof TlogError) return c.text(`${error.message}\n`, 400)
      throw error
    }
  })

  app.get('/_health', (c) => c.json({ name, vkeys, logs: [...originOfHash.values()] }))

  app.get('/:hash/checkpoint', (c) => {
    const origin = originOfHash.get(c.req.param('hash'))
    const last = origin === undefined ? undefined : store.last(origin)
    if (last === undefined) return c.text('no checkpoint of such a log was cosigned here\n', 404)
    c.header('cache-control', 'public, max-age=5')
    return c.text(last.note)
  })

  app.notFound((c) => c.text(`there is no ${c.req.method} ${c.req.path.slice(0, 200)} here\n`, 404))
  app.onError((error, c) => {
    onUnexpectedError?.(error)
    return c.text('the witness failed\n', 500)
  })

  const vkeys = signers.map(({ verifier }) => verifier.vkey)
  return {
    vkeys,
    fetch: async (request) => await app.fetch(request),
    [Symbol.dispose]: () => store[Symbol.dispose](),
  }
}

function sizeConflict(c: Context, size: number): Response {
  return c.body(`${size}\n`, 409, { 'content-type': 'text/x.tlog.size' })
}
