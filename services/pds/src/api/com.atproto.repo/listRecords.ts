import { com } from '@imago/atproto'
import { type DataMap, decode } from '@imago/data'
import { type AtUri, isRecordKey } from '@imago/syntax'
import { invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
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
    const last = records.at(-1)
    return {
      ...(last && { cursor: last.path.slice(collection.length + 1) }),
      records: records.map(({ path, cid, bytes }) => ({
        uri: `at://${did}/${path}` satisfies AtUri,
        cid: cid.toString(),
        value: decode(bytes) as DataMap,
      })),
    }
  })
