/** Bytes with an `ArrayBuffer` of their own, for those who write each before they read it. */
export const unfilledBytes = (length: number): Uint8Array<ArrayBuffer> => new Uint8Array(length)
