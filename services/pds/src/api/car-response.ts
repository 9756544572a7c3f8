import { type Block, type Cid, carHeader, concatBytes } from '@imago/data'
import { XrpcError } from '@imago/xrpc'
import { carChunks } from '../repos/car-chunks.ts'
import type { RepoSnapshot } from '../repos/repo-store.ts'
import type { ExportWatch, WatchedExport } from './export-watch.ts'

/**
 * Streams blocks as a CAR file, as fast as the reader takes them.
 * @param onEnd called once: after the last block, on an error, or when the reader goes away.
 */
export function carResponse(root: Cid, blocks: Iterable<Block>, onEnd: () => void = () => {}): Response {
  return streamCar(root, carChunks(blocks), onEnd, () => undefined)
}

/** @throws {XrpcError} when as many exports run as may: 503, and when to come again. */
export function assertRoomFor({ isFull }: Pick<ExportWatch, 'isFull'>): void {
  if (isFull)
    throw new XrpcError(
      503,
      'NotEnoughResources',
      'too many repositories are being read: try again in a moment',
      {
        headers: { 'retry-after': '5' },
      },
    )
}

/**
 * The same for what reads from a snapshot, which must not be held for ever: readers that are too slow are cut off. The
 * snapshot is let go at the end.
 * @param chunks entries of the CAR file.
 */
export function exportResponse(
  exports: ExportWatch,
  snapshot: RepoSnapshot,
  chunks: Iterable<Uint8Array>,
): Response {
  const { did, cid } = snapshot.head
  return streamCar(
    cid,
    chunks,
    () => snapshot[Symbol.dispose](),
    (cut) => exports.begin(did, cut),
  )
}

function streamCar(
  root: Cid,
  chunks: Iterable<Uint8Array>,
  onEnd: () => void,
  begin: (cut: (error: Error) => void) => WatchedExport | undefined,
): Response {
  const iterator = chunks[Symbol.iterator]()
  let watched: WatchedExport | undefined
  let ended = false
  const end = () => {
    if (ended) return
    ended = true
    watched?.end()
    iterator.return?.()
    onEnd()
  }
  let header: Uint8Array | undefined = carHeader([root])
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        watched = begin((error) => {
          end()
          controller.error(error)
        })
      },
      pull(controller) {
        try {
          const next = iterator.next()
          if (next.done) {
            if (header !== undefined) controller.enqueue(header)
            controller.close()
            end()
            return
          }
          const chunk = next.value
          controller.enqueue(header === undefined ? chunk : concatBytes([header, chunk]))
          header = undefined
          watched?.took(chunk.length)
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
