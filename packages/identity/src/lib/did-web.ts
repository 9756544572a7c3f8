import { type Did, isHandle } from '@imago/syntax'
import { IdentityError } from './identity-error.ts'

/**
 * Where the document of a did:web lies. Only the host form is part of atproto; a port is for `localhost` alone, which
 * is also the only one without https.
 * @throws {IdentityError} `Refused` for path forms, ports, and hosts that are no domain names.
 * @see https://atproto.com/specs/did#blessed-did-methods
 */
export function didWebUrl(did: Did): URL {
  const identifier = did.slice('did:web:'.length).toLowerCase()
  const local = /^localhost(?:%3a(\d{1,5}))?$/.exec(identifier)
  if (local !== null) {
    const url = URL.parse(
      `http://localhost${local[1] === undefined ? '' : `:${local[1]}`}/.well-known/did.json`,
    )
    if (url !== null) return url
  }
  // The syntax of a handle is that of a domain name with a letter at its top, so no IP address passes.
  if (!isHandle(identifier))
    throw new IdentityError(
      'Refused',
      `${did} is not a did:web of atproto (expected did:web:<domain>, without path or port)`,
    )
  return new URL(`https://${identifier}/.well-known/did.json`)
}
