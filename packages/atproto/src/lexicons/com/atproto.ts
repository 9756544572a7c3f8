// Generated from schema documents. Do not edit: change the document, then generate anew.

export * as admin from './atproto/admin.ts'
export * as identity from './atproto/identity.ts'
export * as label from './atproto/label.ts'
export * as lexicon from './atproto/lexicon.ts'
export * as moderation from './atproto/moderation.ts'
export * as repo from './atproto/repo.ts'
export * as server from './atproto/server.ts'
export * as sync from './atproto/sync.ts'
export * as temp from './atproto/temp.ts'
