/**
 * The whole body of an answer.
 * @param from its address, for the message.
 * @throws {RangeError} beyond `maxBytes`; whatever broke the connection.
 */
export async function readBody(response: Response, from: string, maxBytes: number): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += part.length
    if (bytes > maxBytes) throw new RangeError(`${from} answered with more than ${maxBytes} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts, bytes)
}
