import { invalidRequest } from '@imago/xrpc'
import { errorReply, type Upgrade, type XrpcServer } from '@imago/xrpc/server'

/**
 * Answers WebSocket handshakes. A cursor that can be no place in the stream is refused before the connection opens,
 * which the schema of the method cannot say.
 * @see https://atproto.com/specs/event-stream
 */
export function openSocket(xrpc: XrpcServer, request: Request): Upgrade | Response {
  const cursor = new URL(request.url).searchParams.get('cursor')
  if (cursor?.startsWith('-'))
    return errorReply(invalidRequest(`cursor is ${cursor.slice(0, 40)}: it must be 0 or more`)).toResponse()
  return xrpc.upgrade(request)
}
