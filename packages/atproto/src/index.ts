export * as com from './lexicons/com.ts'
export { methodNsids } from './lexicons/method-nsids.ts'
export type { Methods } from './lexicons/methods.ts'
