import { type Block, type Cid, carHeader } from '@imago/data'
import { encodeVarint } from '@imago/data/multibase'

const CHUNK_BYTES = 128 * 1024

/**
 * Streams blocks as a CAR file, as fast as the reader takes them.
 * @param onEnd called once: after the last block, on an error, or when the reader goes away.
 */
export function carResponse(root: Cid, blocks: Iterable<Block>, onEnd: () => void = () => {}): Response {
  const iterator = blocks[Symbol.iterator]()
  let ended = false
  const end = () => {
    if (ended) return
    ended = true
    iterator.return?.()
    onEnd()
  }
  let parts: Uint8Array[] = [carHeader([root])]
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        try {
          let bytes = 0
          while (bytes < CHUNK_BYTES) {
            const next = iterator.next()
            if (next.done) {
              if (parts.length > 0) controller.enqueue(Buffer.concat(parts))
              controller.close()
              end()
              return
            }
            // The parts of an entry as they are: all of them are copied once, into the chunk.
            const { cid, bytes: block } = next.value
            const length = cid.bytes.length + block.length
            parts.push(encodeVarint(length), cid.bytes, block)
            bytes += length
          }
          controller.enqueue(Buffer.concat(parts))
          parts = []
        } catch (error) {
          end()
          throw error
        }
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { headers: { 'content-type': 'application/vnd.ipld.car' } })
}
