/** What generated modules import: the vocabulary in which validators are written. */
export { type Check, fail, type Issue, type Mode, under } from './issue.ts'
export { type Param, params } from './lib/params.ts'
export { procedure, query, record, schema, subscription } from './lib/schemas.ts'
export { fewerGraphemes, longer, moreGraphemes, shorter } from './lib/text-length.ts'
export {
  isBlob,
  isBytes,
  isDatetimeIn,
  isInteger,
  isMap,
  isUnknown,
  own,
  unlistedVariant,
} from './lib/values.ts'
export type {
  Given,
  ProcedureSchema,
  QuerySchema,
  RawBody,
  RecordSchema,
  Schema,
  SubscriptionSchema,
  Typed,
  UnknownVariant,
} from './schema.ts'
