import { randomBytes } from 'node:crypto'
import { com } from '@imago/atproto'
import type { Did } from '@imago/syntax'
import { XrpcError } from '@imago/xrpc'
import { type Client, createClient } from '@imago/xrpc/client'

/** Somebody who has signed in on the console. Their tokens stay in this process; the browser holds an opaque id. */
export interface Session {
  readonly id: string
  readonly did: Did
  readonly handle: string
  /** Calls the PDS as this account; takes new tokens where the old ones have run out. */
  call<T>(work: (client: Client) => Promise<T>): Promise<T>
}

export interface Sessions {
  /** Makes an account, and signs in to it. @throws {XrpcError} with what the PDS says. */
  signUp(input: { handle: string; password: string }): Promise<Session>
  /** @throws {XrpcError} with what the PDS says. */
  signIn(input: { identifier: string; password: string }): Promise<Session>
  find(id: string | undefined): Session | undefined
  end(id: string | undefined): void
}

/** Fewer people than this share one development network. */
const MAX_SESSIONS = 100
const ID_BYTES = 24

interface Tokens {
  readonly accessJwt: string
  readonly refreshJwt: string
}

export function createSessions(options: { pds: string; fetch: typeof fetch }): Sessions {
  const { server } = com.atproto
  const sessions = new Map<string, Session>()
  const clientWith = (token?: string) =>
    createClient({
      service: options.pds,
      fetch: options.fetch,
      auth: () => (token === undefined ? undefined : `Bearer ${token}`),
    })

  function begin({ did, handle, ...first }: Tokens & { did: Did; handle: string }): Session {
    const id = randomBytes(ID_BYTES).toBase64({ alphabet: 'base64url' })
    let tokens: Tokens = first
    const session: Session = {
      id,
      did,
      handle,
      async call(work) {
        try {
          return await work(clientWith(tokens.accessJwt))
        } catch (error) {
          if (!(error instanceof XrpcError && error.error === 'ExpiredToken')) throw error
          tokens = await clientWith(tokens.refreshJwt).call(server.refreshSession.main)
          return await work(clientWith(tokens.accessJwt))
        }
      },
    }
    sessions.set(id, session)
    if (sessions.size > MAX_SESSIONS) sessions.delete(sessions.keys().next().value!)
    return session
  }

  return {
    async signUp({ handle, password }) {
      const input = { handle: handle as `${string}.${string}`, password }
      return begin(await clientWith().call(server.createAccount.main, { input }))
    },
    async signIn(input) {
      return begin(await clientWith().call(server.createSession.main, { input }))
    },
    find: (id) => (id === undefined ? undefined : sessions.get(id)),
    end(id) {
      if (id !== undefined) sessions.delete(id)
    },
  }
}
