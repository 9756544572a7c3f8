// Generated from schema documents. Do not edit: change the document, then generate anew.

export * as resolveLexicon from './lexicon/resolveLexicon.ts'
export * as schema from './lexicon/schema.ts'
