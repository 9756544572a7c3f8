import { com } from '@imago/atproto'
import { isDid, type Nsid } from '@imago/syntax'
import { invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { signServiceToken } from '../../identity/service-token.ts'
import type { Ports } from '../ports.ts'

/** Methods that only a session of the account itself opens: no other service may call them in its name. */
const PROTECTED: ReadonlySet<string> = new Set([
  'com.atproto.admin.sendemail',
  'com.atproto.identity.requestplcoperationsignature',
  'com.atproto.identity.signplcoperation',
  'com.atproto.identity.updatehandle',
  'com.atproto.server.activateaccount',
  'com.atproto.server.confirmemail',
  'com.atproto.server.createapppassword',
  'com.atproto.server.deactivateaccount',
  'com.atproto.server.getaccountinvitecodes',
  'com.atproto.server.getsession',
  'com.atproto.server.listapppasswords',
  'com.atproto.server.requestaccountdelete',
  'com.atproto.server.requestemailconfirmation',
  'com.atproto.server.requestemailupdate',
  'com.atproto.server.revokeapppassword',
  'com.atproto.server.updateemail',
])

const DEFAULT_LIFETIME_S = 60
const MAX_LIFETIME_S = 3600

/** A token that says to another service who is asking, signed by the account's own key. */
export const getServiceAuth = ({
  authentication,
  repos,
  randomId,
  now,
}: Pick<Ports, 'authentication' | 'repos' | 'randomId' | 'now'>) =>
  method(
    com.atproto.server.getServiceAuth.main,
    { auth: authentication.account({ evenInactive: true }) },
    async ({ auth: { account, isPrivileged }, params: { aud, lxm, exp } }) => {
      assertAudience(aud)
      if (lxm !== undefined) assertAllowed(lxm, isPrivileged)
      const iat = Math.floor(now() / 1000)
      assertExpiration(exp, iat, lxm)
      const { did, status } = account
      if (status === 'takendown' || status === 'suspended') {
        // Whoever was taken down may still leave.
        if (lxm?.toLowerCase() !== 'com.atproto.server.createaccount')
          throw invalidRequest(
            `the account is ${status}, and may ask others for com.atproto.server.createAccount only`,
          )
      }
      const repo = await repos.open(did)
      if (repo === undefined) throw new Error(`the account ${did} has no repository`)
      const claims = { iat, iss: did, aud, exp: exp ?? iat + DEFAULT_LIFETIME_S, lxm, jti: randomId() }
      return { token: signServiceToken(claims, repo.keypair) }
    },
  )

function assertAudience(aud: string): void {
  const [did, fragment, ...more] = aud.split('#')
  if (!isDid(did) || fragment === '' || more.length > 0)
    throw invalidRequest(
      `aud is ${JSON.stringify(aud)}: it must be a DID, with or without the #fragment of a service`,
    )
}

/** Names of methods are compared without letter case, as hosts are that match them so. */
function assertAllowed(lxm: Nsid, isPrivileged: boolean): void {
  const name = lxm.toLowerCase()
  if (PROTECTED.has(name))
    throw invalidRequest(`${lxm} is not for other services to call: it needs a session of the account`)
  if (!isPrivileged && (name.startsWith('chat.bsky.') || name === 'com.atproto.server.createaccount'))
    throw invalidRequest(`${lxm} needs the account's own password, or a privileged app password`)
}

function assertExpiration(exp: number | undefined, now: number, lxm: Nsid | undefined): void {
  if (exp === undefined) return
  const ahead = exp - now
  const fault =
    ahead < 0
      ? 'is past'
      : ahead > MAX_LIFETIME_S
        ? `is more than ${MAX_LIFETIME_S} s ahead`
        : ahead > DEFAULT_LIFETIME_S && lxm === undefined
          ? `is more than ${DEFAULT_LIFETIME_S} s ahead, which needs lxm: a token for any method must be short`
          : undefined
  if (fault !== undefined) throw invalidRequest(`exp, ${exp}, ${fault} (now it is ${now})`, 'BadExpiration')
}
