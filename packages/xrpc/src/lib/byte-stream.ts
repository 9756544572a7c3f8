/** What a stream of bytes may be, and what to throw where it is not. */
export interface ByteGuard {
  readonly maxBytes: number
  /** For a stream of more than `maxBytes`. What is beyond them is not read. */
  tooLong(): Error
  /** For a stream that fails by itself. */
  broken(cause: unknown): Error
}

/** All bytes of a stream. */
export async function readBytes(stream: ReadableStream<Uint8Array>, guard: ByteGuard): Promise<Uint8Array> {
  const next = counted(stream.getReader(), guard)
  const chunks: Uint8Array[] = []
  for (let chunk = await next(); chunk; chunk = await next()) chunks.push(chunk)
  return chunks.length === 1 ? chunks[0]! : join(chunks)
}

/** The same bytes, as a stream that fails as the guard says. */
export function guardBytes(stream: ReadableStream<Uint8Array>, guard: ByteGuard): ReadableStream<Uint8Array> {
  const reader = stream.getReader()
  const next = counted(reader, guard)
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = await next()
        if (chunk) controller.enqueue(chunk)
        else controller.close()
      },
      cancel: (reason) => reader.cancel(reason),
    },
    // Nothing is read before the consumer asks: a body may be refused unread.
    { highWaterMark: 0 },
  )
}

/** The next chunk, or `undefined` after the last. */
function counted(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  guard: ByteGuard,
): () => Promise<Uint8Array | undefined> {
  let length = 0
  return async () => {
    const { done, value } = await reader.read().catch((cause) => {
      throw guard.broken(cause)
    })
    if (done) return undefined
    length += value.length
    if (length <= guard.maxBytes) return value
    reader.cancel().catch(() => {})
    throw guard.tooLong()
  }
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
