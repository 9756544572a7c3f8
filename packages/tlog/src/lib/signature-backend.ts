/** One signature algorithm, on raw keys. Synchronous. */
export interface SignatureBackend {
  /** @param publicKey of the length that the algorithm has. @returns `undefined` when it is no key. */
  openPublicKey(publicKey: Uint8Array): ((message: Uint8Array, signature: Uint8Array) => boolean) | undefined
  /** @param seed 32 bytes. */
  openSecretKey(seed: Uint8Array): {
    readonly publicKey: Uint8Array
    sign(message: Uint8Array): Uint8Array
  }
}
