import type { Keypair } from '@imago/crypto'
import { toBase64url } from '@imago/data/multibase'
import {
  normalizeOperation,
  type Operation,
  type PlcData,
  type PlcOperation,
  type PlcTombstone,
  type Unsigned,
} from './operation.ts'
import { type DidPlc, didOfGenesis, operationCid, unsignedBytes } from './operation-bytes.ts'
import { PlcError } from './plc-error.ts'

/** The operation with its signature by `keypair`. Whether that key may sign it is for the log to say. */
export function signOperation<O extends Operation>(operation: Unsigned<O>, keypair: Keypair): O {
  const sig = toBase64url(keypair.sign(unsignedBytes(operation as Unsigned)))
  return { ...operation, sig } as unknown as O
}

/**
 * A new DID, and the operation that creates it.
 * @throws {PlcError} `KeyNotAllowed` when `keypair` is not among the rotation keys: a genesis is signed by itself.
 * @see https://web.plc.directory/spec/v0.1/did-plc#did-creation
 */
export function createGenesis(data: PlcData, keypair: Keypair): { did: DidPlc; operation: PlcOperation } {
  const operation = plcOperation(data, null, keypair)
  return { did: didOfGenesis(operation), operation }
}

/**
 * The operation that follows `last` and changes what `changes` names; everything else is said again.
 * @param last the operation to follow: the head of the log or, to recover, an older one.
 * @param keypair one of the rotation keys of `last`; which of them is checked by the log, as it depends on what is undone.
 * @throws {PlcError} `Misordered` when `last` is a tombstone, `KeyNotAllowed` when the key is not one of those of `last`.
 */
export function updateOperation(last: Operation, changes: Partial<PlcData>, keypair: Keypair): PlcOperation {
  const data = dataToFollow(last)
  checkKey(data, keypair)
  return signOperation<PlcOperation>(
    { type: 'plc_operation', ...pick({ ...data, ...changes }), prev: operationCid(last).toString() },
    keypair,
  )
}

/**
 * The operation that ends the DID after `last`.
 * @throws {PlcError} as {@link updateOperation}.
 */
export function tombstoneOperation(last: Operation, keypair: Keypair): PlcTombstone {
  checkKey(dataToFollow(last), keypair)
  return signOperation<PlcTombstone>({ type: 'plc_tombstone', prev: operationCid(last).toString() }, keypair)
}

function plcOperation(data: PlcData, prev: string | null, keypair: Keypair): PlcOperation {
  checkKey(data, keypair)
  return signOperation<PlcOperation>({ type: 'plc_operation', ...pick(data), prev }, keypair)
}

function pick({ rotationKeys, verificationMethods, alsoKnownAs, services }: PlcData): PlcData {
  return { rotationKeys, verificationMethods, alsoKnownAs, services }
}

function dataToFollow(last: Operation): PlcData {
  const data = normalizeOperation(last)
  if (data === undefined) throw new PlcError('Misordered', 'Nothing may follow a tombstone')
  return data
}

function checkKey({ rotationKeys }: PlcData, { didKey }: Keypair): void {
  if (!rotationKeys.includes(didKey))
    throw new PlcError(
      'KeyNotAllowed',
      `${didKey} is not a rotation key here; sign with one of ${rotationKeys.join(', ') || '(none)'}`,
    )
}
