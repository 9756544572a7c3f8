import type { DataMap, Value } from '@imago/data'
import type { LexiconDocument } from './document.ts'
import { LexiconError } from './lexicon-error.ts'
import { createCompiler } from './lib/compile.ts'
import type { BodyNode, Method, ParamNode } from './lib/ir.ts'
import type { Param } from './lib/params.ts'
import { createResolver, unresolvedRefs } from './lib/resolve.ts'
import { procedure, query, record, schema, subscription } from './lib/schemas.ts'
import type { ProcedureSchema, QuerySchema, RecordSchema, Schema, SubscriptionSchema } from './schema.ts'

/**
 * Schema documents that know each other, and validators of what they define, made on first use and kept. Values and
 * parameters are untyped here; types come with generated modules.
 */
export interface Catalog {
  /** Of all documents, in order. */
  readonly nsids: readonly string[]
  document(nsid: string): LexiconDocument | undefined
  record(nsid: string): RecordSchema<DataMap> | undefined
  query(nsid: string): QuerySchema<DataMap, Value, unknown> | undefined
  procedure(nsid: string): ProcedureSchema<DataMap, Value, Value, unknown> | undefined
  subscription(nsid: string): SubscriptionSchema<DataMap, DataMap, unknown> | undefined
  /** A definition that values can have, by absolute name: `nsid` or `nsid#name`. Never a method or a token. */
  def(ref: string): Schema<Value> | undefined
  /**
   * References that lead nowhere (or to what no value can be), each as `nsid: ref`. Values that reach one are invalid,
   * because nobody can judge them; an open union's variants too, once listed.
   */
  unresolved(): string[]
}

/**
 * A catalog of documents from {@link parseLexiconDocument}. Documents that others refer to may be absent.
 * @throws {LexiconError} when two documents have one NSID.
 */
export function createCatalog(documents: Iterable<LexiconDocument>): Catalog {
  const byNsid = new Map<string, LexiconDocument>()
  for (const document of documents) {
    if (byNsid.has(document.id))
      throw new LexiconError('InvalidCatalog', 'catalog', [
        { path: '', message: `holds two documents ${document.id}` },
      ])
    byNsid.set(document.id, document)
  }
  const resolver = createResolver(byNsid.values())
  const compiler = createCompiler()

  return {
    nsids: resolver.nsids,
    document: (nsid) => byNsid.get(nsid),
    record: memoized((nsid) => {
      const target = resolver.definition(nsid)
      if (target?.node.kind !== 'record' || target.type !== nsid) return undefined
      return record(target.nsid, target.node.keyRule, compiler.definition(target))
    }),
    query: memoized((nsid) => {
      const method = resolver.method(nsid)
      return method?.kind === 'query' ? query(methodParts(method)) : undefined
    }),
    procedure: memoized((nsid) => {
      const method = resolver.method(nsid)
      return method?.kind === 'procedure' ? procedure(methodParts(method)) : undefined
    }),
    subscription: memoized((nsid) => {
      const method = resolver.method(nsid)
      if (method?.kind !== 'subscription' || !method.message) return undefined
      const { subprotocol } = method
      return subscription({
        ...methodParts(method),
        message: compiler.check(method.message),
        ...(subprotocol !== undefined && { subprotocol }),
      })
    }),
    def: memoized((ref) => {
      const target = resolver.definition(ref)
      if (!target || target.node.kind === 'token') return undefined
      return schema(compiler.definition(target), target.type)
    }),
    unresolved: () => unresolvedRefs(resolver),
  }

  function methodParts({ nsid, params, input, output, errors }: Method) {
    return {
      nsid,
      errors,
      params: Object.fromEntries(params.map(({ name, ...param }) => [name, paramParts(param)])),
      ...(input && { input: bodyParts(input) }),
      ...(output && { output: bodyParts(output) }),
    }
  }

  function paramParts({ node, ...rest }: Omit<ParamNode, 'name'>): Param {
    return { ...rest, type: node.kind, check: compiler.check(node) }
  }

  function bodyParts({ encoding, schema }: BodyNode) {
    return { encoding, ...(schema && { check: compiler.check(schema) }) }
  }
}

function memoized<T>(make: (name: string) => T): (name: string) => T {
  const made = new Map<string, T>()
  return (name) => {
    let value = made.get(name)
    // Names that are asked for come from outside; only those that exist may fill the map.
    if (value === undefined && (value = make(name)) !== undefined) made.set(name, value)
    return value as T
  }
}
