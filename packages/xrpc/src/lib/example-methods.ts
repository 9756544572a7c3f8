import {
  createCatalog,
  type ProcedureSchema,
  parseLexiconDocument,
  type QuerySchema,
  type RawBody,
  type SubscriptionSchema,
} from '@imago/lexicon'

/* The methods that the tests of this package serve and call; nothing else imports them. */

type Json = Record<string, unknown>

const params = (properties: Json) => ({ parameters: { type: 'params', properties } })
const json = (schema?: Json) => ({ encoding: 'application/json', ...(schema && { schema }) })
const count = { type: 'object', required: ['count'], properties: { count: { type: 'integer' } } }
const page = {
  type: 'object',
  required: ['items'],
  properties: { items: { type: 'array', items: { type: 'string' } }, cursor: { type: 'string' } },
}
const anything = { type: 'object', properties: {} }
const tick = { type: 'object', required: ['seq'], properties: { seq: { type: 'integer' } } }

const mains: Record<string, Json> = {
  getCount: {
    type: 'query',
    ...params({ step: { type: 'integer', default: 1 }, tag: { type: 'string' } }),
    output: json(count),
    errors: [{ name: 'NoSuchCounter' }],
  },
  listItems: {
    type: 'query',
    ...params({ cursor: { type: 'string' } }),
    output: json(page),
  },
  getFile: { type: 'query', output: { encoding: 'application/vnd.ipld.car' } },
  putCount: { type: 'procedure', input: json(count) },
  touch: { type: 'procedure' },
  upload: { type: 'procedure', input: { encoding: '*/*' }, output: json(anything) },
  echo: { type: 'procedure', input: json(anything), output: json(anything) },
  watch: {
    type: 'subscription',
    ...params({ cursor: { type: 'integer' } }),
    message: { schema: { type: 'union', refs: ['#tick', '#info'] } },
    errors: [{ name: 'FutureCursor' }, { name: 'ConsumerTooSlow' }],
  },
}

const catalog = createCatalog(
  Object.entries(mains).map(([name, main]) =>
    parseLexiconDocument({
      lexicon: 1,
      id: `com.example.${name}`,
      defs: name === 'watch' ? { main, tick, info: { type: 'object', properties: {} } } : { main },
    }),
  ),
)

type Empty = Record<never, never>
type Count = { count: number }

/** Catalogs give untyped schemas; the types of these stand in the documents above. */
const query = <P, O, G = P>(name: string) =>
  catalog.query(`com.example.${name}`) as unknown as QuerySchema<P, O, G>
const procedure = <I, O>(name: string) =>
  catalog.procedure(`com.example.${name}`) as unknown as ProcedureSchema<Empty, I, O>

export const getCount = query<{ step: number; tag?: string }, Count, { step?: number; tag?: string }>(
  'getCount',
)
export const listItems = query<{ cursor?: string }, { items: string[]; cursor?: string }>('listItems')
export const getFile = query<Empty, RawBody>('getFile')
export const putCount = procedure<Count, undefined>('putCount')
export const touch = procedure<undefined, undefined>('touch')
export const upload = procedure<RawBody, { size: number; type: string }>('upload')
export const echo = procedure<Json, Json>('echo')
export const watch = catalog.subscription('com.example.watch') as unknown as SubscriptionSchema<
  { cursor?: number },
  { $type: 'com.example.watch#tick'; seq: number } | { $type: 'com.example.watch#info' }
>
