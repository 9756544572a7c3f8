import type { XrpcServerOptions } from '@imago/xrpc/server'
import { deleteAccount } from './com.atproto.admin/deleteAccount.ts'
import { getSubjectStatus } from './com.atproto.admin/getSubjectStatus.ts'
import { updateSubjectStatus } from './com.atproto.admin/updateSubjectStatus.ts'
import { getRecommendedDidCredentials } from './com.atproto.identity/getRecommendedDidCredentials.ts'
import { refreshIdentity } from './com.atproto.identity/refreshIdentity.ts'
import { resolveDid } from './com.atproto.identity/resolveDid.ts'
import { resolveHandle } from './com.atproto.identity/resolveHandle.ts'
import { resolveIdentity } from './com.atproto.identity/resolveIdentity.ts'
import { submitPlcOperation } from './com.atproto.identity/submitPlcOperation.ts'
import { applyWrites } from './com.atproto.repo/applyWrites.ts'
import { createRecord } from './com.atproto.repo/createRecord.ts'
import { deleteRecord } from './com.atproto.repo/deleteRecord.ts'
import { describeRepo } from './com.atproto.repo/describeRepo.ts'
import { getRecord } from './com.atproto.repo/getRecord.ts'
import { importRepo } from './com.atproto.repo/importRepo.ts'
import { listMissingBlobs } from './com.atproto.repo/listMissingBlobs.ts'
import { listRecords } from './com.atproto.repo/listRecords.ts'
import { putRecord } from './com.atproto.repo/putRecord.ts'
import { uploadBlob } from './com.atproto.repo/uploadBlob.ts'
import { activateAccount } from './com.atproto.server/activateAccount.ts'
import { checkAccountStatus } from './com.atproto.server/checkAccountStatus.ts'
import { createAccount } from './com.atproto.server/createAccount.ts'
import { createSession } from './com.atproto.server/createSession.ts'
import { deactivateAccount } from './com.atproto.server/deactivateAccount.ts'
import { deleteSession } from './com.atproto.server/deleteSession.ts'
import { describeServer } from './com.atproto.server/describeServer.ts'
import { getServiceAuth } from './com.atproto.server/getServiceAuth.ts'
import { getSession } from './com.atproto.server/getSession.ts'
import { refreshSession } from './com.atproto.server/refreshSession.ts'
import { reserveSigningKey } from './com.atproto.server/reserveSigningKey.ts'
import { getBlob } from './com.atproto.sync/getBlob.ts'
import { getBlocks } from './com.atproto.sync/getBlocks.ts'
import { getCheckout } from './com.atproto.sync/getCheckout.ts'
import { getHead } from './com.atproto.sync/getHead.ts'
import { getLatestCommit } from './com.atproto.sync/getLatestCommit.ts'
import { getRecord as getRecordProof } from './com.atproto.sync/getRecord.ts'
import { getRepo } from './com.atproto.sync/getRepo.ts'
import { getRepoStatus } from './com.atproto.sync/getRepoStatus.ts'
import { listBlobs } from './com.atproto.sync/listBlobs.ts'
import { listRepos } from './com.atproto.sync/listRepos.ts'
import { subscribeRepos } from './com.atproto.sync/subscribeRepos.ts'
import type { Ports } from './ports.ts'

/** Every method that is served. What is not here answers 501; a test lists those, each with its reason. */
export function routes(ports: Ports): XrpcServerOptions['methods'] {
  return [
    deleteAccount(ports),
    getSubjectStatus(ports),
    updateSubjectStatus(ports),
    refreshIdentity(ports),
    resolveDid(ports),
    resolveHandle(ports),
    resolveIdentity(ports),
    applyWrites(ports),
    createRecord(ports),
    deleteRecord(ports),
    describeRepo(ports),
    getRecord(ports),
    importRepo(ports),
    listRecords(ports),
    putRecord(ports),
    uploadBlob(ports),
    activateAccount(ports),
    createAccount(ports),
    createSession(ports),
    deactivateAccount(ports),
    deleteSession(ports),
    describeServer(ports),
    getSession(ports),
    refreshSession(ports),
    getBlob(ports),
    getBlocks(ports),
    getLatestCommit(ports),
    getRecordProof(ports),
    getRepo(ports),
    getRepoStatus(ports),
    listBlobs(ports),
    listRepos(ports),
    getRecommendedDidCredentials(ports),
    submitPlcOperation(ports),
    listMissingBlobs(ports),
    checkAccountStatus(ports),
    getServiceAuth(ports),
    reserveSigningKey(ports),
    getCheckout(ports),
    getHead(ports),
    subscribeRepos(ports),
  ]
}
