// Generated from schema documents. Do not edit: change the document, then generate anew.

export * as createReport from './moderation/createReport.ts'
export * as defs from './moderation/defs.ts'
