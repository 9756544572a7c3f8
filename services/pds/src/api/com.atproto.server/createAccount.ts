import { com } from '@imago/atproto'
import { tryParseDidKey } from '@imago/crypto'
import { IdentityError } from '@imago/identity'
import { type Did, type Handle, normalizeHandle } from '@imago/syntax'
import { authRequired, invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { faultOfNewHandle, serviceDomainOf } from '../../accounts/handle-rules.ts'
import { MAX_NEW_PASSWORD_LENGTH } from '../../accounts/password.ts'
import { callingAccount } from '../calling-account.ts'
import type { Ports } from '../ports.ts'
import { didDocumentOf } from '../session-info.ts'

type Input = com.atproto.server.createAccount.Input

const { main } = com.atproto.server.createAccount

/** Makes a new account with a new DID; or one for a DID that exists, whose owner moves here. */
export const createAccount = ({
  accountCreation,
  accountArrival,
  sessions,
  directory,
  server,
  now,
}: Pick<Ports, 'accountCreation' | 'accountArrival' | 'sessions' | 'directory' | 'server' | 'now'>) => {
  const caller = (request: Request) =>
    callingAccount(request, main.nsid, { directory, serviceDid: server.did, now })
  return method(main, { auth: caller }, async ({ input, auth }) => {
    if (input.plcOp !== undefined)
      throw invalidRequest('"plcOp" is not taken: this server makes the operation itself. Leave it out')
    if (server.inviteRequired)
      throw invalidRequest(
        `this server takes invited people only, and ${input.inviteCode ? 'knows no such invite code' : 'no invite code came'}`,
        'InvalidInviteCode',
      )
    const chosen = { email: emailOf(input), password: passwordOf(input) }
    const made =
      input.did === undefined
        ? await accountCreation.create({
            ...chosen,
            handle: newHandle(input, server.handleDomains),
            recoveryKey: recoveryKeyOf(input),
          })
        : await arrive(input.did)
    if (made === 'did')
      throw invalidRequest(`an account of ${input.did} is here, and is not deactivated: sign in to it`)
    if (made === 'email') throw invalidRequest(`the email address ${input.email} belongs to another account`)
    if (typeof made === 'string')
      throw invalidRequest(`the handle ${input.handle} is taken`, 'HandleNotAvailable')
    const { did, handle } = made
    const pair = await sessions.start(did)
    const didDoc = await didDocumentOf(did, directory)
    return { ...pair, did, handle, ...(didDoc && { didDoc }) }

    async function arrive(did: Did) {
      if (auth !== did)
        throw authRequired(
          `the DID ${did} exists already: send a service token of its present host for ${server.did} and ${main.nsid}`,
        )
      const handle = await arrivingHandle(input, did)
      const { data } = await directory.resolveDid(did)
      return accountArrival.arrive({ ...chosen, did, handle, documentKey: data.signingKey })
    }
  })

  /** Someone who moves may keep a handle of their own domain. */
  async function arrivingHandle(input: Input, did: Did): Promise<Handle> {
    const handle = normalizeHandle(input.handle)
    if (serviceDomainOf(handle, server.handleDomains) !== undefined)
      return newHandle(input, server.handleDomains)
    const named = await directory.resolveHandle(handle, { refresh: true }).catch((error) => {
      if (error instanceof IdentityError) return undefined
      throw error
    })
    if (named === did) return handle
    throw invalidRequest(
      `the handle ${handle} names ${named ?? 'nobody'}, not ${did}: point it there, or choose one under ${server.handleDomains.join(', ')}`,
      'UnsupportedDomain',
    )
  }
}

function newHandle({ handle }: Input, domains: readonly string[]): Handle {
  const fault = faultOfNewHandle(handle, domains)
  if (fault) throw invalidRequest(fault.message, fault.error)
  return normalizeHandle(handle)
}

const EMAIL = /^[^\s@]{1,64}@[^\s@]+\.[^\s@.]+$/
const MAX_EMAIL_LENGTH = 254

function emailOf({ email }: Input): string | undefined {
  if (email === undefined) return undefined
  if (email.length > MAX_EMAIL_LENGTH || !EMAIL.test(email))
    throw invalidRequest(`${JSON.stringify(email.slice(0, MAX_EMAIL_LENGTH))} is not an email address`)
  return email.toLowerCase()
}

function passwordOf({ password }: Input): string {
  if (!password) throw invalidRequest('a password is needed', 'InvalidPassword')
  if (password.length > MAX_NEW_PASSWORD_LENGTH)
    throw invalidRequest(
      `the password has ${password.length} characters, and at most ${MAX_NEW_PASSWORD_LENGTH} are taken`,
      'InvalidPassword',
    )
  return password
}

function recoveryKeyOf({ recoveryKey }: Input): string | undefined {
  if (recoveryKey !== undefined && tryParseDidKey(recoveryKey) === undefined)
    throw invalidRequest(
      `recoveryKey must be a did:key of P-256 or K-256, not ${JSON.stringify(recoveryKey)}`,
    )
  return recoveryKey
}
