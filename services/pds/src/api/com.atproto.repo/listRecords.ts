import { com } from '@imago/atproto'
import { isRecordKey } from '@imago/syntax'
import { invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { recordsAnswer } from '../../records/record-json.ts'
import { servedDid } from '../find-repo.ts'
import type { Ports } from '../ports.ts'

export const listRecords = ({ accounts, repos }: Pick<Ports, 'accounts' | 'repos'>) =>
  method(com.atproto.repo.listRecords.main, async ({ params }) => {
    const { collection, limit, cursor, reverse = false } = params
    if (cursor !== undefined && !isRecordKey(cursor))
      throw invalidRequest(`cursor is ${JSON.stringify(cursor)}: use the one of the page before`)
    const did = await servedDid(accounts, params.repo)
    // Keys are times as a rule, so that the newest come first unless the caller wants it the other way round.
    const records = await repos.listRecords(did, { collection, limit, descending: !reverse, cursor })
    return recordsAnswer(did, collection, records)
  })
