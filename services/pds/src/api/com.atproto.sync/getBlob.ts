import { com } from '@imago/atproto'
import { tryParseCid } from '@imago/data'
import { invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { type ByteRange, parseRange } from '../byte-range.ts'
import { servedHead } from '../find-repo.ts'
import type { Ports } from '../ports.ts'

/**
 * Other people's bytes come from the origin on which accounts sign in: a browser must neither run them nor guess what
 * they might be.
 */
const HARMLESS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
}

export const getBlob = ({ repos, blobs }: Pick<Ports, 'repos' | 'blobs'>) =>
  method(com.atproto.sync.getBlob.main, async ({ params, request }) => {
    const { did } = params
    await servedHead(repos, did)
    const cid = tryParseCid(params.cid)
    const row = cid && (await blobs.find(did, cid))
    if (row === undefined) throw notFound(did, params.cid)
    const headers = {
      ...HARMLESS,
      'content-type': row.mimeType || 'application/octet-stream',
      'content-disposition': `attachment; filename="${row.cid}"`,
      'cache-control': 'public, max-age=31536000, immutable',
      etag: `"${row.cid}"`,
      'accept-ranges': 'bytes',
    }
    if (request.headers.get('if-none-match') === headers.etag)
      return new Response(null, { status: 304, headers })
    const range = parseRange(request.headers.get('range'), row.size)
    if (range === 'unsatisfiable')
      return new Response(null, {
        status: 416,
        headers: { ...headers, 'content-range': `bytes */${row.size}` },
      })
    const file = await blobs.read(did, row.cid, range)
    if (file === undefined)
      throw new Error(`the bytes of blob ${row.cid} of ${did} are not in the blob store`)
    return new Response(file.body, {
      status: range ? 206 : 200,
      headers: { ...headers, ...lengthHeaders(row.size, range) },
    })
  })

function lengthHeaders(size: number, range: ByteRange | undefined): Record<string, string> {
  if (range === undefined) return { 'content-length': String(size) }
  const { start, end } = range
  return { 'content-length': String(end - start + 1), 'content-range': `bytes ${start}-${end}/${size}` }
}

const notFound = (did: string, cid: string) =>
  invalidRequest(`no record of ${did} refers to a blob ${cid}`, 'BlobNotFound')
