import { com } from '@imago/atproto'
import { atUri } from '@imago/syntax'
import { invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { recordAnswer } from '../../records/record-json.ts'
import { servedDid } from '../find-repo.ts'
import type { Ports } from '../ports.ts'

export const getRecord = ({ accounts, repos }: Pick<Ports, 'accounts' | 'repos'>) =>
  method(com.atproto.repo.getRecord.main, async ({ params }) => {
    const { collection, rkey, cid } = params
    const did = await servedDid(accounts, params.repo)
    const record = await repos.getRecord(did, `${collection}/${rkey}`)
    const uri = atUri(did, collection, rkey)
    if (record === undefined) throw invalidRequest(`there is no record at ${uri}`, 'RecordNotFound')
    if (cid !== undefined && cid !== record.cid.toString())
      throw invalidRequest(`the record at ${uri} is ${record.cid}, not ${cid}`, 'RecordNotFound')
    return recordAnswer(did, record)
  })
