import type { FanOut } from '@imago/log'
import type { Upgrade } from '@imago/service'
import { compileFilter } from './filter.ts'
import { readOptionsUpdate, type SubscriberOptions, SubscriberOptionsError } from './subscriber-options.ts'

const CLOSE_UNSUPPORTED_DATA = 1003
const CLOSE_INVALID_PAYLOAD = 1007
const CLOSE_POLICY = 1008

/** A message that ends the connection. */
class BadMessageError extends Error {
  override readonly name = 'BadMessageError'
  readonly closeCode: number

  constructor(closeCode: number, message: string) {
    super(message)
    this.closeCode = closeCode
  }
}

/** One reader of the stream: its filter, which it may change as it reads, and its place. */
export function createSubscriber(
  stream: FanOut,
  newest: () => number,
  { cursor, filter, requireHello }: SubscriberOptions,
): Upgrade {
  let wants = compileFilter(filter)
  const hello = Promise.withResolvers<void>()
  if (!requireHello) hello.resolve()

  return {
    async *messages(signal) {
      if (signal.aborted) return
      const leave = () => hello.resolve()
      signal.addEventListener('abort', leave, { once: true })
      await hello.promise
      signal.removeEventListener('abort', leave)
      yield* stream.read({
        // A time that has not come yet is answered with what comes next.
        cursor: cursor !== undefined && cursor > newest() ? undefined : cursor,
        signal,
        select: (entry) => wants(entry),
      })
    },
    onMessage(data) {
      if (typeof data !== 'string')
        throw new BadMessageError(CLOSE_UNSUPPORTED_DATA, 'binary message: send JSON as text')
      const changed = readOptionsUpdate(parseJson(data))
      if (changed === undefined) return
      wants = compileFilter(changed)
      hello.resolve()
    },
    closeFor(error) {
      if (error instanceof BadMessageError) return { code: error.closeCode, reason: error.message }
      if (error instanceof SubscriberOptionsError) return { code: CLOSE_POLICY, reason: error.message }
      return undefined
    },
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new BadMessageError(CLOSE_INVALID_PAYLOAD, 'message is not JSON')
  }
}
