import { equalBytes } from '@imago/data'
import { type Checkpoint, parseCheckpoint, parseDecimal, type SignedCheckpoint } from './checkpoint.ts'
import { encodeBase64 } from './lib/base64.ts'
import { emptyRoot } from './merkle-tree.ts'
import { type Proof, verifyConsistency } from './proofs.ts'
import { type NoteVerifier, verifiedSignatures } from './signed-note.ts'
import { TlogError } from './tlog-error.ts'
import { parseProofLines } from './tlog-proof.ts'

/** What a log asks of a witness: to cosign a checkpoint that continues the one it cosigned last. */
export interface AddCheckpointRequest {
  readonly oldSize: number
  /** Of consistency, from `oldSize` to the checkpoint. */
  readonly proof: Proof
  /** The note, as the log signed it. */
  readonly checkpoint: string
}

/** The body of `add-checkpoint`. @see https://c2sp.org/tlog-witness */
export const formatAddCheckpoint = ({ oldSize, proof, checkpoint }: AddCheckpointRequest): string =>
  `old ${oldSize}\n${proof.map((hash) => `${encodeBase64(hash)}\n`).join('')}\n${checkpoint}`

/** @throws {TlogError} when it is not such a body. */
export function parseAddCheckpoint(
  body: string,
): AddCheckpointRequest & { readonly signed: SignedCheckpoint } {
  const border = body.indexOf('\n\n')
  const [first, ...lines] = border < 0 ? [] : body.slice(0, border).split('\n')
  const oldSize = first?.startsWith('old ') ? parseDecimal(first.slice('old '.length)) : undefined
  if (oldSize === undefined)
    throw new TlogError(
      'InvalidProof',
      'the body does not begin with `old`, a tree size, and a proof that an empty line ends',
    )
  const checkpoint = body.slice(border + 2)
  return { oldSize, proof: parseProofLines(lines), checkpoint, signed: parseCheckpoint(checkpoint) }
}

/** What a witness answers, but for its own faults. `status` is of HTTP. */
export type WitnessVerdict =
  | { readonly status: 200; readonly checkpoint: Checkpoint }
  /** The old size is not that of the checkpoint cosigned last, which has `size`. */
  | { readonly status: 409; readonly size: number }
  /** `evidence`: the log has signed what cannot be, and the request proves it. */
  | { readonly status: 400 | 403 | 404 | 422; readonly message: string; readonly evidence: boolean }

/**
 * Judges a request. Pure: who calls it must compare and set the last checkpoint in one step, durably, before the
 * cosignature leaves.
 * @param logKeys keys of the log with this origin; `undefined` when the witness does not know the log.
 * @param last what it cosigned last for this origin; `undefined` before the first time.
 */
export function judgeAddCheckpoint(
  { oldSize, proof, signed }: AddCheckpointRequest & { readonly signed: SignedCheckpoint },
  logKeys: readonly NoteVerifier[] | undefined,
  last: Pick<Checkpoint, 'size' | 'root'> | undefined,
): WitnessVerdict {
  const { checkpoint, note } = signed
  const refuse = (status: 400 | 403 | 404 | 422, message: string, evidence = false) => ({
    status,
    message,
    evidence,
  })
  if (logKeys === undefined) return refuse(404, `the log ${checkpoint.origin} is not known here`)
  try {
    if (verifiedSignatures(note, logKeys).length === 0)
      return refuse(403, `no key that is known of ${checkpoint.origin} has signed the checkpoint`)
  } catch (error) {
    if (error instanceof TlogError) return refuse(403, error.message)
    throw error
  }
  if (oldSize > checkpoint.size)
    return refuse(400, `the old size ${oldSize} exceeds the checkpoint's ${checkpoint.size}`)
  if (checkpoint.size === 0 && !equalBytes(checkpoint.root, emptyRoot()))
    return refuse(422, 'the root of an empty log is the hash of nothing', true)
  const known = last ?? { size: 0, root: emptyRoot() }
  if (oldSize !== known.size) return { status: 409, size: known.size }
  if (oldSize === checkpoint.size && !equalBytes(known.root, checkpoint.root))
    return refuse(422, `two roots of ${checkpoint.origin} at size ${oldSize}`, true)
  try {
    verifyConsistency(proof, known, checkpoint)
  } catch (error) {
    if (error instanceof TlogError) return refuse(422, error.message)
    throw error
  }
  return { status: 200, checkpoint }
}
