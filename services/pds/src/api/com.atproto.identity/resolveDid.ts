import { com } from '@imago/atproto'
import { method } from '@imago/xrpc/server'
import { documentData } from '../../identity/identity-info.ts'
import { answerAboutIdentity } from '../identity-answer.ts'
import type { Ports } from '../ports.ts'

/** The document alone: what it claims about a handle is not looked at. */
export const resolveDid = ({ directory }: Pick<Ports, 'directory'>) =>
  method(com.atproto.identity.resolveDid.main, async ({ params }) => {
    const identity = await answerAboutIdentity(() => directory.resolveDid(params.did))
    return { didDoc: documentData(identity) }
  })
