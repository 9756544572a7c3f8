/** Longest JSON body of a method that writes records, in bytes. */
export const MAX_WRITE_BODY_BYTES = 1024 * 1024
/** Most writes of one applyWrites: as many operations as one commit may announce. */
export const MAX_WRITES = 200
