import { com } from '@imago/atproto'
import { tryParseDidKey } from '@imago/crypto'
import { normalizeHandle } from '@imago/syntax'
import { invalidRequest, XrpcError } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { faultOfNewHandle } from '../../accounts/handle-rules.ts'
import { MAX_NEW_PASSWORD_LENGTH } from '../../accounts/password.ts'
import type { Ports } from '../ports.ts'
import { didDocumentOf } from '../session-info.ts'

type Input = com.atproto.server.createAccount.Input

export const createAccount = ({
  accountCreation,
  sessions,
  directory,
  server,
}: Pick<Ports, 'accountCreation' | 'sessions' | 'directory' | 'server'>) =>
  method(com.atproto.server.createAccount.main, async ({ input }) => {
    refuseMove(input)
    if (server.inviteRequired)
      throw invalidRequest(
        `this server takes invited people only, and ${input.inviteCode ? 'knows no such invite code' : 'no invite code came'}`,
        'InvalidInviteCode',
      )
    const fault = faultOfNewHandle(input.handle, server.handleDomains)
    if (fault) throw invalidRequest(fault.message, fault.error)
    const made = await accountCreation.create({
      handle: normalizeHandle(input.handle),
      email: emailOf(input),
      password: passwordOf(input),
      recoveryKey: recoveryKeyOf(input),
    })
    if (made === 'email') throw invalidRequest(`the email address ${input.email} belongs to another account`)
    if (typeof made === 'string')
      throw invalidRequest(`the handle ${input.handle} is taken`, 'HandleNotAvailable')
    const { did, handle } = made
    const pair = await sessions.start(did, 'com.atproto.access')
    const didDoc = await didDocumentOf(did, directory)
    return { ...pair, did, handle, ...(didDoc && { didDoc }) }
  })

/** Accounts that exist elsewhere move in another way than new ones come about. */
function refuseMove({ did, plcOp }: Input): void {
  if (did !== undefined)
    throw new XrpcError(
      501,
      'MethodNotImplemented',
      `this server makes new accounts only, and cannot take in ${did}: leave "did" out`,
    )
  if (plcOp !== undefined)
    throw invalidRequest('"plcOp" is not taken: this server makes the operation itself. Leave it out')
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
