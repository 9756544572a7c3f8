import type { Issue } from '@imago/lexicon'
import type { GivenParamsOf, ListedMessageOf, StreamSchema } from './schema-types.ts'
import type { Received } from './stream-connection.ts'
import { readFrame, type StreamProtocol } from './stream-protocol.ts'
import { follow, type SubscribeOptions } from './subscribe.ts'

/** A frame that was left out. */
export interface Ignored {
  /** `unknown`: an operation or a type that this version of the schema does not list. `invalid`: against the schema. */
  readonly reason: 'unknown' | 'invalid'
  /** The message's `$type`, where the frame has one. */
  readonly type: string | undefined
  readonly issue: Issue | undefined
}

export interface SubscribeMessagesOptions<S extends StreamSchema> extends SubscribeOptions {
  /** The host: `https://relay.example.com`. Only scheme, name and port count. */
  readonly service: string | URL
  readonly params?: GivenParamsOf<S> | undefined
  /** Frame formats to offer. Default: none, which leaves the choice to the server. */
  readonly protocols?: readonly StreamProtocol[] | undefined
  /** Leaves out messages that break the schema, judged leniently. Default: true. */
  readonly checkMessages?: boolean | undefined
  /** Told of every frame that was left out. */
  readonly onIgnored?: ((ignored: Ignored) => void) | undefined
}

const MAX_REMEMBERED_TYPES = 64

/**
 * The messages of a subscription, typed, with the whole reference in `$type`. Frames of types that the schema does not
 * list are left out, as the specification asks. Connects anew as {@link subscribe} does; without `cursor` it goes on
 * after the `seq` of the last message that the loop body finished.
 * @throws {XrpcError} as {@link subscribe} does.
 * @throws {FrameError} for a frame that cannot be read; to go on, subscribe again from a later cursor.
 * @throws {LexiconError} for parameters that the schema refuses.
 * @see https://atproto.com/specs/event-stream
 */
export function subscribeMessages<S extends StreamSchema>(
  schema: S,
  options: SubscribeMessagesOptions<S>,
): AsyncGenerator<ListedMessageOf<S>> {
  const { checkMessages = true, onIgnored } = options
  const url = new URL(`/xrpc/${schema.nsid}`, options.service)
  url.search = schema.params.encode(options.params ?? {}).toString()

  // Asked for only when the loop body has come back for more, so that the last message read is a finished one.
  let lastSeq: number | undefined
  const isListed = listedTypes(schema)

  function read({ protocol, payload }: Received): ListedMessageOf<S> | undefined {
    const frame = readFrame(protocol, schema.nsid, payload)
    if (frame.kind !== 'message') {
      onIgnored?.({ reason: 'unknown', type: undefined, issue: undefined })
      return undefined
    }
    const { message } = frame
    const { $type: type, seq } = message
    if (typeof seq === 'number') lastSeq = seq
    if (!isListed(type)) {
      onIgnored?.({ reason: 'unknown', type, issue: undefined })
      return undefined
    }
    const issue = checkMessages ? schema.message.check(message, 'lenient') : undefined
    if (issue) {
      onIgnored?.({ reason: 'invalid', type, issue })
      return undefined
    }
    return message as ListedMessageOf<S>
  }

  return follow(url, { cursor: () => lastSeq, ...options }, read)
}

/** Open unions accept any type, so the closed reading of the schema is asked whether it lists one. */
function listedTypes(schema: StreamSchema): (type: string) => boolean {
  const remembered = new Map<string, boolean>()
  return (type) => {
    const known = remembered.get(type)
    if (known !== undefined) return known
    const listed = schema.message.check({ $type: type }, 'closed')?.path !== '/$type'
    if (remembered.size < MAX_REMEMBERED_TYPES) remembered.set(type, listed)
    return listed
  }
}
