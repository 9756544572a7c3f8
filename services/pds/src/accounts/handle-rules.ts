import { type Handle, hasDisallowedTld, isHandle, normalizeHandle } from '@imago/syntax'

/** Why a handle cannot be registered: the error name of createAccount, and a message for people. */
export interface HandleFault {
  readonly error: 'InvalidHandle' | 'HandleNotAvailable' | 'UnsupportedDomain'
  readonly message: string
}

const MIN_LABEL_LENGTH = 3
const MAX_LABEL_LENGTH = 18

/** First labels that people would take for the service itself, or for whoever runs it. */
const RESERVED_LABELS: ReadonlySet<string> = new Set(
  `about abuse account accounts admin administrator api app apps atproto auth billing blog bsky bot cdn chat
   contact dashboard dev did docs email feed feeds firehose ftp help home host hostmaster imap info is invite
   invites jobs legal localhost login logout mail me moderation moderator news notifications oauth official
   operator pds ping plc policy pop3 postmaster privacy register relay report root search security server settings
   shop signin signup smtp staff status store support sysadmin system team terms test tos user username users
   webmaster well-known wiki www xrpc`.split(/\s+/),
)

/** The domain of `domains` (each with its leading dot) that a handle stands directly or deeper under. */
export function serviceDomainOf(handle: Handle, domains: readonly string[]): string | undefined {
  return domains.find((domain) => handle.endsWith(domain))
}

/**
 * What is wrong with a new handle under the domains of this service; `undefined` when nothing is, apart from who may
 * have it already.
 * @param domains with a leading dot: `.example.com`.
 */
export function faultOfNewHandle(raw: string, domains: readonly string[]): HandleFault | undefined {
  if (!isHandle(raw))
    return invalid(
      `${JSON.stringify(raw)} is not a handle: it must be a domain name, such as alice.example.com`,
    )
  const handle = normalizeHandle(raw)
  if (hasDisallowedTld(handle)) return invalid(`${handle} ends in a domain that handles may not be under`)
  const domain = serviceDomainOf(handle, domains)
  if (domain === undefined)
    return {
      error: 'UnsupportedDomain',
      message: `${handle} is not under a domain of this service (${domains.join(', ')})`,
    }
  const label = handle.slice(0, -domain.length)
  if (label.includes('.'))
    return invalid(`only one name may stand before ${domain}, and ${label} are several`)
  if (label.length < MIN_LABEL_LENGTH)
    return invalid(`${label} is too short: at least ${MIN_LABEL_LENGTH} characters before ${domain}`)
  if (label.length > MAX_LABEL_LENGTH)
    return invalid(`${label} is too long: at most ${MAX_LABEL_LENGTH} characters before ${domain}`)
  if (RESERVED_LABELS.has(label))
    return { error: 'HandleNotAvailable', message: `${label} is a reserved name` }
  return undefined
}

const invalid = (message: string): HandleFault => ({ error: 'InvalidHandle', message })
