// Generated from schema documents. Do not edit: change the document, then generate anew.

export * as defs from './label/defs.ts'
export * as queryLabels from './label/queryLabels.ts'
export * as subscribeLabels from './label/subscribeLabels.ts'
