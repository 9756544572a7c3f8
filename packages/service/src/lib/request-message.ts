import { IncomingMessage } from 'node:http'

/** A request whose body can be had in one piece, without the events of a stream: for a small one they cost more than it. */
export class RequestMessage extends IncomingMessage {
  #pieces: Buffer[] = []
  #arrival: PromiseWithResolvers<Uint8Array<ArrayBuffer>> | undefined

  /**
   * All of the body. Whoever asks has looked at its length: it is kept in memory.
   * @throws {TypeError} when somebody has begun to read it.
   * @throws {Error} when the client goes away before its end.
   */
  async whole(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#arrival !== undefined || this.readableDidRead) throw new TypeError('the body has been read')
    this.#arrival = Promise.withResolvers()
    const { promise } = this.#arrival
    if (this.destroyed && !this.complete) this.#fail(this.errored)
    else this.#take()
    return promise
  }

  /** Called by the parser. */
  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    const wantsMore = super.push(chunk, encoding)
    if (this.#arrival === undefined) return wantsMore
    this.#take()
    return true
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    super._destroy(error, callback)
    if (!this.complete) this.#fail(error)
  }

  /** What has come so far; after the last of it, reading once more is what ends the stream. */
  #take(): void {
    for (let piece = this.read(); piece !== null; piece = this.read()) this.#pieces.push(piece)
    if (!this.complete) return
    const [first, ...more] = this.#pieces
    const body = first === undefined || more.length > 0 ? Buffer.concat(this.#pieces) : first
    this.#arrival!.resolve(new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.length))
  }

  #fail(error: Error | null): void {
    this.#arrival?.reject(error ?? new Error('the client closed the connection'))
  }
}
