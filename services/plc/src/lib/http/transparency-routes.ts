import { parseTilePath } from '@imago/tlog'
import type { Context, Hono } from 'hono'
import type { PlcStore } from '../store/plc-store.ts'
import type { Publishing } from '../transparency/publishing.ts'
import type { TransparencyLog } from '../transparency/transparency-log.ts'
import { HttpError, notRegistered } from './answers.ts'

const PREFIX = '/log/'
const IMMUTABLE = 'public, max-age=31536000, immutable'
/** How long a proof waits for the checkpoint that it needs. */
const PROOF_TIMEOUT_MS = 5000

/**
 * `GET /log/checkpoint`, `/log/tile/…` and `/:did/log/proof?cid=`: the transparency log, and evidence to keep.
 * @see https://c2sp.org/tlog-tiles
 */
export function transparencyRoutes(
  app: Hono,
  { store, log, publishing }: { store: PlcStore; log: TransparencyLog; publishing: Publishing },
): void {
  app.get('/log/checkpoint', (c) => {
    if (log.published === undefined) throw new HttpError(404, 'The log is empty')
    c.header('cache-control', 'public, max-age=1')
    return c.text(log.published.note)
  })

  app.get('/log/tile/*', async (c) => {
    const path = c.req.path.slice(PREFIX.length)
    const tile = parseTile(path)
    const bytes = tile.level === 'entries' ? await log.bundle(tile) : await log.tile(tile)
    if (bytes === undefined) throw new HttpError(404, `The published log has no ${path}`)
    return binary(c, bytes)
  })

  app.get('/:did/log/proof', async (c) => {
    const did = c.req.param('did')
    const seq = await numberOf(store, did, c.req.query('cid'), c.req.query('seq'))
    await publishing.until((await store.tree.indexOf(seq)) + 1, PROOF_TIMEOUT_MS)
    const proof = await log.proofOf(seq)
    if (proof === undefined) {
      c.header('retry-after', '5')
      return c.json(
        { message: 'The operation is not in a published checkpoint yet: its witnesses are slow' },
        503,
      )
    }
    return c.text(proof)
  })
}

/**
 * The number of what a proof is asked for: an operation by its CID, also one that was withdrawn, an operation or a notice
 * by its number, or else the last operation.
 * @throws {HttpError} 404
 */
async function numberOf(
  store: PlcStore,
  did: string,
  cid: string | undefined,
  seq: string | undefined,
): Promise<number> {
  const operations = await store.operations(did)
  if (cid === undefined && seq === undefined && operations.length > 0) return operations.at(-1)!.seq
  const withdrawals = await store.withdrawals(did)
  if (operations.length + withdrawals.length === 0) throw notRegistered(did)
  const withdrawn = withdrawals.flatMap((one) => one.operations)
  const all =
    cid === undefined ? [...operations, ...withdrawn, ...withdrawals] : [...operations, ...withdrawn]
  const found = all.find((one) => (cid === undefined ? String(one.seq) === seq : one.cid === cid))
  if (found === undefined)
    throw new HttpError(404, `${did} has no operation ${(cid ?? seq ?? '').slice(0, 100)}`)
  return found.seq
}

function parseTile(path: string): ReturnType<typeof parseTilePath> {
  try {
    return parseTilePath(path)
  } catch (error) {
    throw new HttpError(404, (error as Error).message)
  }
}

function binary(c: Context, bytes: Uint8Array): Response {
  return c.body(bytes as Uint8Array<ArrayBuffer>, 200, {
    'content-type': 'application/octet-stream',
    'cache-control': IMMUTABLE,
  })
}
