import { com } from '@imago/atproto'
import { method } from '@imago/xrpc/server'
import { assertSwapCommit, assertSwapRecord } from '../../records/swap.ts'
import { committed } from '../commit-meta.ts'
import { assertOwnRepo } from '../find-repo.ts'
import type { Ports } from '../ports.ts'

export const deleteRecord = ({ authentication, writer }: Pick<Ports, 'authentication' | 'writer'>) =>
  method(
    com.atproto.repo.deleteRecord.main,
    { auth: authentication.account() },
    async ({ auth: { account }, input }) => {
      assertOwnRepo(account, input.repo)
      const path = `${input.collection}/${input.rkey}`
      const commit = await writer.write(account.did, (repo) => {
        if (repo.get(path) === undefined) return []
        assertSwapCommit(repo, input.swapCommit)
        assertSwapRecord(repo, path, input.swapRecord)
        return [{ action: 'delete', path }]
      })
      return committed(commit)
    },
  )
