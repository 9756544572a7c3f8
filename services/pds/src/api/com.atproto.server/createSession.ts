import { com } from '@imago/atproto'
import { isDid, normalizeHandle, tryParseHandle } from '@imago/syntax'
import { authRequired } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import type { Account, AccountStore } from '../../accounts/account-store.ts'
import { MAX_LOGIN_PASSWORD_LENGTH } from '../../accounts/password.ts'
import type { Ports } from '../ports.ts'
import { sessionInfo } from '../session-info.ts'

export const createSession = ({
  accounts,
  passwords,
  sessions,
  directory,
}: Pick<Ports, 'accounts' | 'passwords' | 'sessions' | 'directory'>) =>
  method(com.atproto.server.createSession.main, async ({ input }) => {
    const { identifier, password } = input
    if (password.length > MAX_LOGIN_PASSWORD_LENGTH) throw wrong()
    const account = await find(accounts, identifier)
    const hash = account && (await accounts.passwordHash(account.did))
    // An unknown account costs the same work as a wrong password, and hears the same.
    const matches = await passwords.verify(password, hash)
    const appPasswords = account && !matches ? await accounts.appPasswords(account.did) : []
    const found = matches
      ? undefined
      : await passwords.find(
          password,
          appPasswords.map((known) => known.hash),
        )
    const appPassword = found === undefined ? undefined : appPasswords[found]
    if (account === undefined || (!matches && appPassword === undefined)) throw wrong()
    if (account.status === 'takendown' || account.status === 'suspended')
      throw authRequired('the account has been taken down', 'AccountTakedown')
    const pair = await sessions.start(account.did, appPassword)
    return { ...pair, ...(await sessionInfo(account, directory, appPassword !== undefined)) }
  })

const wrong = () => authRequired('Invalid identifier or password', 'AuthenticationRequired')

async function find(
  accounts: Pick<AccountStore, 'get' | 'byHandle' | 'byEmail'>,
  identifier: string,
): Promise<Account | undefined> {
  if (identifier.includes('@')) return accounts.byEmail(identifier.toLowerCase())
  if (isDid(identifier)) return accounts.get(identifier)
  const handle = tryParseHandle(identifier)
  return handle && accounts.byHandle(normalizeHandle(handle))
}
