import assert from 'node:assert/strict'
import test from 'node:test'
import { methodNsids } from '@imago/atproto'
import { createAuthentication } from './authentication.ts'
import type { Ports } from './ports.ts'
import { routes } from './routes.ts'

/** Methods of com.atproto that answer 501 here, by why. */
const NOT_SERVED: Readonly<Record<string, readonly string[]>> = {
  'a relay, an app view, a labeler or a sign-up queue serves these': [
    'com.atproto.label.queryLabels',
    'com.atproto.label.subscribeLabels',
    'com.atproto.sync.getHostStatus',
    'com.atproto.sync.listHosts',
    'com.atproto.sync.listReposByCollection',
    'com.atproto.sync.notifyOfUpdate',
    'com.atproto.sync.requestCrawl',
    'com.atproto.temp.addReservedHandle',
    'com.atproto.temp.checkHandleAvailability',
    'com.atproto.temp.checkSignupQueue',
    'com.atproto.temp.dereferenceScope',
    'com.atproto.temp.fetchLabels',
    'com.atproto.temp.requestPhoneVerification',
    'com.atproto.temp.revokeAccountCredentials',
  ],
  'moderation and administration are not part of this server yet': [
    'com.atproto.admin.disableAccountInvites',
    'com.atproto.admin.disableInviteCodes',
    'com.atproto.admin.enableAccountInvites',
    'com.atproto.admin.getAccountInfo',
    'com.atproto.admin.getAccountInfos',
    'com.atproto.admin.getInviteCodes',
    'com.atproto.admin.searchAccounts',
    'com.atproto.admin.sendEmail',
    'com.atproto.admin.updateAccountEmail',
    'com.atproto.admin.updateAccountHandle',
    'com.atproto.admin.updateAccountPassword',
    'com.atproto.admin.updateAccountSigningKey',
    'com.atproto.moderation.createReport',
    'com.atproto.server.createInviteCode',
    'com.atproto.server.createInviteCodes',
    'com.atproto.server.getAccountInviteCodes',
  ],
  'mail is not part of this server yet': [
    'com.atproto.server.confirmEmail',
    'com.atproto.server.deleteAccount',
    'com.atproto.server.requestAccountDelete',
    'com.atproto.server.requestEmailConfirmation',
    'com.atproto.server.requestEmailUpdate',
    'com.atproto.server.requestPasswordReset',
    'com.atproto.server.resetPassword',
    'com.atproto.server.updateEmail',
  ],
  'they need mail, which is not part of this server yet': [
    'com.atproto.identity.requestPlcOperationSignature',
    'com.atproto.identity.signPlcOperation',
  ],
  'handles do not change yet, and schemas are resolved elsewhere': [
    'com.atproto.identity.updateHandle',
    'com.atproto.lexicon.resolveLexicon',
  ],
  'app passwords are not part of this server yet': [
    'com.atproto.server.createAppPassword',
    'com.atproto.server.listAppPasswords',
    'com.atproto.server.revokeAppPassword',
  ],
}

test('every method of com.atproto is served, or listed here with the reason why not', () => {
  const authentication = createAuthentication({
    tokens: {} as never,
    accounts: {} as never,
    adminPassword: undefined,
  })
  // Handlers take their ports apart when they are made, and use them only when called.
  const ports = { authentication, server: {} } as unknown as Ports
  const served = routes(ports).map(({ schema }) => schema.nsid as string)
  const listed = Object.values(NOT_SERVED).flat()
  assert.deepEqual([...served, ...listed].sort(), [...methodNsids].sort())
})
