/** Where a service of the DID's subject answers. Stored and hashed verbatim: an endpoint is never normalised. */
export interface PlcService {
  readonly type: string
  readonly endpoint: string
}

/** What an operation says about its DID; each operation says all of it anew. Maps may have no prototype. */
export interface PlcData {
  /** `did:key`s that may sign the next operation, strongest first. */
  readonly rotationKeys: readonly string[]
  /** Fragment name → `did:key`. */
  readonly verificationMethods: Readonly<Record<string, string>>
  /** URIs in order of preference; atproto handles as `at://<handle>`. */
  readonly alsoKnownAs: readonly string[]
  /** Fragment name → service. */
  readonly services: Readonly<Record<string, PlcService>>
}

/**
 * Creates a DID (`prev` is null) or replaces everything that is said of it (`prev` is the CID of another operation).
 * @see https://web.plc.directory/spec/v0.1/did-plc#operation-serialization-signing-and-validation
 */
export interface PlcOperation extends PlcData {
  readonly type: 'plc_operation'
  readonly prev: string | null
  /** Base64url of the 64-byte signature, 86 characters. */
  readonly sig: string
}

/** Ends a DID. */
export interface PlcTombstone {
  readonly type: 'plc_tombstone'
  readonly prev: string
  readonly sig: string
}

/** The genesis operation of the directory's first months: read from history, refused for new DIDs. */
export interface LegacyCreate {
  readonly type: 'create'
  readonly signingKey: string
  readonly recoveryKey: string
  readonly handle: string
  readonly service: string
  readonly prev: null
  readonly sig: string
}

export type Operation = PlcOperation | PlcTombstone | LegacyCreate

/** An operation before it is signed. `sig` is absent, never null: its absence is what gets signed. */
export type Unsigned<O extends Operation = Operation> = O extends Operation ? Omit<O, 'sig'> : never

/** The keys that may sign what follows an operation, strongest first; `undefined` for a tombstone, which nothing follows. */
export function rotationKeysOf(operation: Unsigned): readonly string[] | undefined {
  switch (operation.type) {
    case 'plc_tombstone':
      return undefined
    case 'plc_operation':
      return operation.rotationKeys
    case 'create':
      // Recovery outranks signing: index 0 is the strongest.
      return [operation.recoveryKey, operation.signingKey]
  }
}

/**
 * What an operation says, in today's terms; `undefined` for a tombstone. For reading only: hash, CID, signature and
 * DID always belong to the original form.
 */
export function normalizeOperation(operation: Unsigned): PlcData | undefined {
  switch (operation.type) {
    case 'plc_tombstone':
      return undefined
    case 'plc_operation': {
      const { rotationKeys, verificationMethods, alsoKnownAs, services } = operation
      return { rotationKeys, verificationMethods, alsoKnownAs, services }
    }
    case 'create': {
      const { signingKey, handle, service } = operation
      return {
        rotationKeys: rotationKeysOf(operation)!,
        verificationMethods: { atproto: signingKey },
        alsoKnownAs: [handle.startsWith('at://') ? handle : `at://${handle.replace(/^https?:\/\//, '')}`],
        services: {
          atproto_pds: {
            type: 'AtprotoPersonalDataServer',
            endpoint: /^https?:\/\//.test(service) ? service : `https://${service}`,
          },
        },
      }
    }
  }
}
