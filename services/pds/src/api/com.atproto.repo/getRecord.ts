import { com } from '@imago/atproto'
import { type DataMap, decode } from '@imago/data'
import { atUri } from '@imago/syntax'
import { invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { servedDid } from '../find-repo.ts'
import type { Ports } from '../ports.ts'

export const getRecord = ({ accounts, repos }: Pick<Ports, 'accounts' | 'repos'>) =>
  method(com.atproto.repo.getRecord.main, async ({ params }) => {
    const { collection, rkey, cid } = params
    const did = await servedDid(accounts, params.repo)
    const record = await repos.getRecord(did, `${collection}/${rkey}`)
    const uri = atUri(did, collection, rkey)
    if (record === undefined) throw invalidRequest(`there is no record at ${uri}`, 'RecordNotFound')
    const found = record.cid.toString()
    if (cid !== undefined && cid !== found)
      throw invalidRequest(`the record at ${uri} is ${found}, not ${cid}`, 'RecordNotFound')
    return { uri, cid: found, value: decode(record.bytes) as DataMap }
  })
