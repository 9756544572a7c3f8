import { DataError, parse, type Value } from '@imago/data'
import type { Body, RawBody } from '@imago/lexicon'
import { type ByteGuard, guardBytes, readBytes } from './byte-stream.ts'
import { acceptsMediaType, isJson, mediaTypeOf } from './media-type.ts'
import { invalidRequest, payloadTooLarge, XrpcError } from './xrpc-error.ts'

const MAX_JSON_BYTES = 153_600
const MAX_RAW_BYTES = 5_242_880

/** Who packs twice has been careless; who says more often wants memory for each time, and a header holds thousands. */
const MAX_CODINGS = 2

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * The checked body of a procedure.
 * @throws {XrpcError} 400 for a body that is missing, not wanted, of another type, malformed or against the schema;
 * 413 for one longer than `maxBytes`; 415 for a `Content-Encoding` that cannot be undone here.
 */
export async function readInput(
  request: Request,
  expected: Body<unknown> | undefined,
  maxBytes: number | undefined,
): Promise<unknown> {
  if (expected === undefined) return refuseBody(request)

  const encoding = mediaTypeOf(request.headers.get('content-type'))
  if (!acceptsMediaType(expected.encoding, encoding))
    throw invalidRequest(
      encoding === ''
        ? `the request needs a Content-Type header that says ${expected.encoding}`
        : `the Content-Type must be ${expected.encoding}, not ${encoding}`,
    )

  const isRaw = !isJson(expected.encoding)
  const guard = guardOf(request, maxBytes ?? (isRaw ? MAX_RAW_BYTES : MAX_JSON_BYTES))
  const length = Number(request.headers.get('content-length'))
  if (length > guard.maxBytes) throw guard.tooLong()
  const codings = request.headers.get('content-encoding')
  if (!isRaw && codings === null && length > 0)
    return checked(expected, parseJson(await readWhole(request, guard)))
  if (request.body === null) throw invalidRequest(`the request needs a body of type ${expected.encoding}`)

  const body = unpacked(request.body, codings)
  if (isRaw) return { encoding, body: guardBytes(body, guard) } satisfies RawBody
  return checked(expected, parseJson(await readBytes(body, guard)))
}

/**
 * A body of known length in one piece, which a server gives without making a stream of it. Whoever owns the socket holds
 * the client to the length.
 */
async function readWhole(request: Request, guard: ByteGuard): Promise<Uint8Array> {
  const bytes = await request.bytes().catch((cause) => {
    throw guard.broken(cause)
  })
  if (bytes.length > guard.maxBytes) throw guard.tooLong()
  return bytes
}

/** A body where none belongs is a client's mistake that it will want to hear of; an empty one is harmless. */
async function refuseBody(request: Request): Promise<undefined> {
  if (request.body === null) return
  const tooLong = () => invalidRequest('this method takes no request body')
  await readBytes(request.body, { ...guardOf(request, 0), tooLong })
}

function guardOf(request: Request, maxBytes: number): ByteGuard {
  return {
    maxBytes,
    tooLong: () => payloadTooLarge(maxBytes),
    // An upload that breaks off is the client's affair, as is one that does not unpack.
    broken(cause) {
      if (request.signal.aborted) return request.signal.reason
      const reason = cause instanceof Error && cause.cause instanceof Error ? `: ${cause.cause.message}` : ''
      return new XrpcError(400, 'InvalidRequest', `the request body cannot be read${reason}`, { cause })
    },
  }
}

function parseJson(bytes: Uint8Array): Value {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    throw invalidRequest('the request body is not UTF-8')
  }
  try {
    return parse(text)
  } catch (error) {
    if (error instanceof DataError || error instanceof SyntaxError)
      throw invalidRequest(`the request body is not JSON of the atproto data model: ${error.message}`)
    throw error
  }
}

function checked(expected: Body<unknown>, value: Value): unknown {
  const result = expected.schema?.validate(value)
  if (result === undefined) return value
  if (result.ok) return result.value
  throw invalidRequest(`input${result.issue.path} ${result.issue.message}`)
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#field.content-encoding */
function unpacked(
  body: ReadableStream<Uint8Array>,
  contentEncoding: string | null,
): ReadableStream<Uint8Array> {
  if (contentEncoding === null) return body
  const codings = contentEncoding
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity')
  if (codings.length > MAX_CODINGS) throw unsupportedCoding(`${codings.length} codings`)
  return codings.reduceRight((stream, coding) => {
    if (coding !== 'gzip' && coding !== 'deflate') throw unsupportedCoding(coding)
    return stream.pipeThrough(new DecompressionStream(coding) as TransformStream<Uint8Array, Uint8Array>)
  }, body)
}

function unsupportedCoding(found: string): XrpcError {
  const message = `the Content-Encoding must be gzip or deflate, not ${found}`
  return new XrpcError(415, 'UnsupportedMediaType', message, {
    headers: { 'accept-encoding': 'gzip, deflate' },
  })
}
