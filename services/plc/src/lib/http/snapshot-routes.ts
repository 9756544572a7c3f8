import { parseCheckpoint } from '@imago/tlog'
import type { Hono } from 'hono'
import { BUNDLE_CONTENT_TYPE } from '../snapshot/bundle-form.ts'
import type { Bundle, Snapshots } from '../snapshot/snapshots.ts'
import type { TransparencyLog } from '../transparency/transparency-log.ts'
import { HttpError } from './answers.ts'

const IMMUTABLE = 'public, max-age=31536000, immutable'

/**
 * `GET /snapshot`: which bundles of the transparency log lie ready, and the checkpoint that they lie within;
 * `GET /snapshot/<N>`: one of them. A bundle needs no trust of its own: its root is a hash in the log's tiles.
 */
export function snapshotRoutes(
  app: Hono,
  kept: { readonly snapshots: Snapshots; readonly log: Pick<TransparencyLog, 'published'> } | undefined,
): void {
  app.get('/snapshot', (c) => {
    if (kept === undefined) throw new HttpError(404, 'This directory keeps no snapshot')
    const { published } = kept.log
    if (published === undefined) throw new HttpError(404, 'The log is empty')
    c.header('cache-control', 'public, max-age=1')
    return c.json({
      origin: parseCheckpoint(published.note).checkpoint.origin,
      checkpoint: published.note,
      bundles: kept.snapshots.within(published.size).map(bundleJson),
    })
  })

  app.get('/snapshot/:index', async (c) => {
    const text = c.req.param('index')
    const index = /^(0|[1-9]\d{0,8})$/.test(text) ? Number(text) : Number.NaN
    const size = kept?.log.published?.size ?? 0
    const found =
      kept?.snapshots.within(size)[index] === undefined ? undefined : await kept.snapshots.read(index)
    if (found === undefined) throw new HttpError(404, `There is no bundle ${text.slice(0, 100)} now`)
    return c.body(found.body, 200, {
      'content-type': BUNDLE_CONTENT_TYPE,
      'content-length': String(found.bundle.bytes),
      'cache-control': IMMUTABLE,
      etag: `"${found.bundle.root.toHex()}"`,
    })
  })
}

const bundleJson = ({ root, ...bundle }: Bundle) => ({ ...bundle, root: root.toBase64() })
