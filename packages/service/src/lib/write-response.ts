import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Reply } from '@imago/xrpc/server'

/**
 * Writes a response, at the pace at which the client reads. A body that ends within one turn of the event loop gets a
 * Content-Length; a longer one streams. A body that fails halfway breaks the connection, so that no client takes the
 * half for the whole; the error is thrown. A body that nobody waits for any more is cancelled.
 */
export async function writeResponse(response: Response, outgoing: ServerResponse): Promise<void> {
  const headers = headersOf(response)
  const { status, body } = response
  if (!body || outgoing.req.method === 'HEAD') {
    outgoing.writeHead(status, headers).end()
    await body?.cancel()
    return
  }
  const reader = body.getReader()
  const cancel = () => reader.cancel().catch(() => {})
  if (outgoing.destroyed) {
    // The client is gone already, and will not close any more.
    await cancel()
    return
  }
  outgoing.once('close', cancel)
  try {
    const first = await reader.read()
    let next = first.done ? first : await readAtOnce(reader)
    if ('done' in next && next.done) {
      const whole = first.value ?? new Uint8Array()
      headers['content-length'] ??= whole.length
      outgoing.writeHead(status, headers).end(whole)
      return
    }
    outgoing.writeHead(status, headers)
    await write(outgoing, first.value!)
    if ('later' in next) next = await next.later
    for (; !next.done; next = await reader.read()) await write(outgoing, next.value)
    outgoing.end()
  } catch (error) {
    // Before the first byte an error can still be told; after it, only shown.
    if (outgoing.headersSent) outgoing.destroy()
    throw error
  } finally {
    if (outgoing.writableEnded) outgoing.off('close', cancel)
  }
}

/** Writes an answer that is a text or nothing: together with the headers, in one system call. */
export function writeReply({ status, headers, body }: Reply, outgoing: ServerResponse): void {
  if (body === null || outgoing.req.method === 'HEAD')
    outgoing.writeHead(status, { ...headers } as OutgoingHttpHeaders).end()
  else
    outgoing
      .writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) } as OutgoingHttpHeaders)
      .end(body)
}

type Reader = ReadableStreamDefaultReader<Uint8Array>
type Read = Awaited<ReturnType<Reader['read']>>

/** The next chunk, if it is there by the next turn of the event loop; else the promise of it. */
async function readAtOnce(reader: Reader): Promise<Read | { later: Promise<Read> }> {
  const later = reader.read()
  const soon = new Promise<{ later: Promise<Read> }>((resolve) => setImmediate(resolve, { later }))
  return Promise.race([later, soon])
}

async function write(outgoing: ServerResponse, chunk: Uint8Array): Promise<void> {
  if (outgoing.write(chunk) || outgoing.destroyed) return
  await new Promise<void>((resolve) => {
    const settle = () => {
      outgoing.off('drain', settle)
      outgoing.off('close', settle)
      resolve()
    }
    outgoing.on('drain', settle)
    outgoing.on('close', settle)
  })
}

function headersOf(response: Response): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = Object.fromEntries(response.headers)
  if ('set-cookie' in headers) headers['set-cookie'] = response.headers.getSetCookie()
  return headers
}
