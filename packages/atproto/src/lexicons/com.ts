// Generated from schema documents. Do not edit: change the document, then generate anew.

export * as atproto from './com/atproto.ts'
