import { parseCheckpoint, parseDecimal, type SignedCheckpoint } from './checkpoint.ts'
import { decodeBase64, encodeBase64 } from './lib/base64.ts'
import { HASH_BYTES } from './merkle-tree.ts'
import { type Proof, verifyInclusion } from './proofs.ts'
import { TlogError } from './tlog-error.ts'
import { checkTrust, type TrustOptions, type TrustPolicy } from './trust-policy.ts'

const HEADER = 'c2sp.org/tlog-proof@v1'
const MAX_PROOF_HASHES = 63

/** Evidence that can be kept: this entry is in that log. */
export interface TlogProof {
  /** Of the application's own; nobody has signed it. */
  readonly extra?: Uint8Array
  /** Place of the entry in the log, from 0. */
  readonly index: number
  readonly proof: Proof
  /** The note, as the log and its witnesses signed it. */
  readonly checkpoint: string
}

/** The text of a `.tlog-proof` file. @see https://c2sp.org/tlog-proof */
export function formatTlogProof({ extra, index, proof, checkpoint }: TlogProof): string {
  const lines = [
    HEADER,
    ...(extra === undefined ? [] : [`extra ${encodeBase64(extra)}`]),
    `index ${index}`,
    ...proof.map(encodeBase64),
  ]
  return `${lines.join('\n')}\n\n${checkpoint}`
}

/** @throws {TlogError} `InvalidProof` for text of another form, and as `parseCheckpoint` does. */
export function parseTlogProof(text: string): TlogProof & { readonly signed: SignedCheckpoint } {
  const border = text.indexOf('\n\n')
  const lines = border < 0 ? [] : text.slice(0, border).split('\n')
  if (lines.shift() !== HEADER)
    throw invalid(`it does not begin with ${HEADER} and end its proof with an empty line`)
  const extraText = lines[0]?.startsWith('extra ') ? lines.shift()!.slice('extra '.length) : undefined
  const extra = extraText === undefined ? undefined : decodeBase64(extraText)
  if (extraText !== undefined && extra === undefined) throw invalid('its extra data are not base64')
  const indexLine = lines.shift()
  const index = indexLine?.startsWith('index ') ? parseDecimal(indexLine.slice('index '.length)) : undefined
  if (index === undefined) throw invalid(`${JSON.stringify(indexLine)} is not an index line`)
  const proof = parseProofLines(lines)
  const checkpoint = text.slice(border + 2)
  return { ...(extra && { extra }), index, proof, checkpoint, signed: parseCheckpoint(checkpoint) }
}

/** @throws {TlogError} `InvalidProof` unless each line is a hash, and there are at most 63. */
export function parseProofLines(lines: readonly string[]): Proof {
  if (lines.length > MAX_PROOF_HASHES)
    throw invalid(`it has ${lines.length} hashes, and at most ${MAX_PROOF_HASHES} can be needed`)
  return lines.map((line) => {
    const hash = decodeBase64(line)
    if (hash?.length !== HASH_BYTES) throw invalid(`${JSON.stringify(line.slice(0, 100))} is not a hash`)
    return hash
  })
}

/**
 * Checks the evidence, without a network.
 * @param leaf hash of the entry that it is about.
 * @throws {TlogError} what is wrong with it.
 */
export function verifyTlogProof(
  text: string,
  leaf: Uint8Array,
  policy: TrustPolicy,
  options?: TrustOptions,
): void {
  const { index, proof, signed } = parseTlogProof(text)
  checkTrust(signed, policy, options)
  if (index >= signed.checkpoint.size)
    throw invalid(`the log has ${signed.checkpoint.size} entries, and none of index ${index}`)
  verifyInclusion(proof, leaf, { index, ...signed.checkpoint })
}

const invalid = (what: string) => new TlogError('InvalidProof', `not a proof of a transparency log: ${what}`)
