import { AtpAgent } from '@atproto/api'

let made = 0

/** A new account with a handle that no other test uses, and an agent signed in to it. */
export async function signUp(
  pds: string,
  name = 'alice',
): Promise<{ agent: AtpAgent; did: string; handle: string }> {
  const agent = new AtpAgent({ service: pds })
  const handle = `${name}${++made}.test`
  const { data } = await agent.createAccount({
    handle,
    email: `${name}${made}@example.com`,
    password: 'correct horse',
  })
  return { agent, did: data.did, handle }
}
