import { importKeypair, type Keypair } from '@imago/crypto'
import { toBase64url } from '@imago/data/multibase'
import {
  createGenesis,
  type DidPlc,
  didOfGenesis,
  operationCid,
  type PlcData,
  type PlcOperation,
  updateOperation,
} from '@imago/identity/plc'
import type { Random } from '@imago/sim/random'

const KEYS = 64
const SIGNATURE_BYTES = 64

/** Keys of a host, of which there are few, and of accounts, of which everyone has their own. */
export interface Keys {
  readonly k256: readonly Keypair[]
  readonly p256: readonly Keypair[]
}

export function createKeys(random: Random): Keys {
  const keys = (curve: 'k256' | 'p256') =>
    Array.from({ length: KEYS }, () => importKeypair(curve, random.bytes(32).with(0, 1)))
  return { k256: keys('k256'), p256: keys('p256') }
}

export interface Genesis {
  readonly did: DidPlc
  readonly operation: PlcOperation
}

/** What an account of a host says of itself: two rotation keys, one signing key, a handle, a PDS. */
export function dataOf(random: Random, signer: Keypair, { k256 }: Keys): PlcData {
  return {
    rotationKeys: [signer.didKey, otherThan(signer, random, k256).didKey],
    verificationMethods: { atproto: random.pick(k256).didKey },
    alsoKnownAs: [`at://${lettersOf(random, 12)}.host.example`],
    services: {
      atproto_pds: {
        type: 'AtprotoPersonalDataServer',
        endpoint: `https://${lettersOf(random, 8)}.us-west.host.example`,
      },
    },
  }
}

/** A new account of the host that a key belongs to, signed as it has to be. */
export const genesisOf = (random: Random, signer: Keypair, keys: Keys): Genesis =>
  createGenesis(dataOf(random, signer, keys), signer)

/** The same with a signature of random bytes: for what is kept rather than verified. */
export function unverifiableGenesis(random: Random, signer: Keypair, keys: Keys): Genesis {
  const operation: PlcOperation = {
    type: 'plc_operation',
    ...dataOf(random, signer, keys),
    prev: null,
    sig: toBase64url(random.bytes(SIGNATURE_BYTES)),
  }
  return { did: didOfGenesis(operation), operation }
}

/** A new handle, signed in the same way. */
export const unverifiableUpdate = (random: Random, previous: PlcOperation): PlcOperation => ({
  ...previous,
  alsoKnownAs: [`at://${lettersOf(random, 12)}.host.example`],
  prev: operationCid(previous).toString(),
  sig: toBase64url(random.bytes(SIGNATURE_BYTES)),
})

/** One operation after another: a new account, then new handles. */
export function historyOf(random: Random, signer: Keypair, keys: Keys, length: number) {
  const { did, operation } = genesisOf(random, signer, keys)
  const operations = [operation]
  while (operations.length < length) {
    const alsoKnownAs = [`at://${lettersOf(random, 10)}.example`]
    operations.push(updateOperation(operations.at(-1)!, { alsoKnownAs }, signer))
  }
  return { did, operations }
}

const lettersOf = (random: Random, length: number): string =>
  Array.from({ length }, () => String.fromCharCode(97 + random.int(26))).join('')

function otherThan(signer: Keypair, random: Random, keys: readonly Keypair[]): Keypair {
  const key = random.pick(keys)
  return key === signer ? otherThan(signer, random, keys) : key
}
