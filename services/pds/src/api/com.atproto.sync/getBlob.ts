import { com } from '@imago/atproto'
import { tryParseCid } from '@imago/data'
import type { ByteRange } from '@imago/object-store'
import { invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { bodyStream } from '../body-stream.ts'
import { parseRange } from '../byte-range.ts'
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

/** What a record of another host calls a type may be any text: not all of it may stand in a header. */
const MEDIA_TYPE = /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}( *;[ -~]{0,200})?$/

export const getBlob = ({ repos, blobs }: Pick<Ports, 'repos' | 'blobs'>) =>
  method(com.atproto.sync.getBlob.main, async ({ params, request }) => {
    const { did } = params
    await servedHead(repos, did)
    const cid = tryParseCid(params.cid)
    const row = cid && (await blobs.find(did, cid))
    if (row === undefined) throw notFound(did, params.cid)
    const headers = {
      ...HARMLESS,
      'content-type': MEDIA_TYPE.test(row.mimeType) ? row.mimeType : 'application/octet-stream',
      'content-disposition': `attachment; filename="${row.cid}"`,
      'cache-control': 'public, max-age=31536000, immutable',
      etag: `"${row.cid}"`,
      'accept-ranges': 'bytes',
    }
    if (namesTag(request.headers.get('if-none-match'), headers.etag))
      return new Response(null, { status: 304, headers })
    // A range of what the client has: of another blob it wants all. Nothing but this blob was ever at this address.
    const isSame = namesTag(request.headers.get('if-range') ?? headers.etag, headers.etag)
    const range = parseRange(isSame ? request.headers.get('range') : null, row.size)
    if (range === 'unsatisfiable')
      return new Response(null, {
        status: 416,
        headers: { ...headers, 'content-range': `bytes */${row.size}` },
      })
    const answer = { status: range ? 206 : 200, headers: { ...headers, ...lengthHeaders(row.size, range) } }
    if (request.method === 'HEAD') return new Response(null, answer)
    return new Response(bodyStream(await blobs.read(did, row, range)), answer)
  })

/** Whether a list of entity tags has this one in it. Weak or strong: the address decides what the bytes are. */
function namesTag(list: string | null, tag: string): boolean {
  return list?.split(',').some((one) => [tag, `W/${tag}`, '*'].includes(one.trim())) ?? false
}

function lengthHeaders(size: number, range: ByteRange | undefined): Record<string, string> {
  if (range === undefined) return { 'content-length': String(size) }
  const { first, last } = range
  return { 'content-length': String(last - first + 1), 'content-range': `bytes ${first}-${last}/${size}` }
}

const notFound = (did: string, cid: string) =>
  invalidRequest(`no record of ${did} refers to a blob ${cid}`, 'BlobNotFound')
