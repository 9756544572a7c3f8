/**
 * Gathers the small pieces in which a socket brings a body into lists of at least `bytes`, the last one excepted: each
 * call into a file system or a network costs more than the bytes do. The pieces are passed on as they are.
 * @returns lists of pieces with their total length; none for an empty body.
 */
export async function* joinPieces(
  body: AsyncIterable<Uint8Array>,
  bytes: number,
): AsyncGenerator<{ readonly pieces: readonly Uint8Array[]; readonly length: number }> {
  let pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of body) {
    pieces.push(piece)
    length += piece.length
    if (length < bytes) continue
    yield { pieces, length }
    pieces = []
    length = 0
  }
  if (length > 0) yield { pieces, length }
}
