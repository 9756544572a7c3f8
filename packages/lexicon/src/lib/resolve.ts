import { isNsid, type Nsid } from '@imago/syntax'
import type * as doc from '../document.ts'
import type {
  BodyNode,
  BooleanNode,
  Definition,
  IntegerNode,
  Method,
  Node,
  ObjectNode,
  ParamNode,
  RecordNode,
  RefNode,
  StringNode,
  TokenNode,
  UnionNode,
} from './ir.ts'

/** Documents by NSID, seen with their references resolved. */
export interface Resolver {
  readonly nsids: readonly Nsid[]
  /** A referable definition by its absolute name; `nsid#main` means `nsid`. */
  definition(ref: string): Definition | undefined
  /** The method whose document has this NSID. */
  method(nsid: string): Method | undefined
  /** All definitions of a document that values or documents can refer to, `main` first. */
  definitionsOf(nsid: string): Definition[]
}

const METHOD_TYPES: readonly string[] = ['query', 'procedure', 'subscription']
const NOT_REFERABLE: readonly string[] = [...METHOD_TYPES, 'permission-set']

export function createResolver(documents: Iterable<doc.LexiconDocument>): Resolver {
  const byNsid = new Map<string, doc.LexiconDocument>()
  for (const document of documents) byNsid.set(document.id, document)
  const definitions = new Map<string, Definition>()
  const methods = new Map<string, Method>()

  function definition(ref: string): Definition | undefined {
    const [nsid, name = 'main'] = ref.split('#') as [string, string?]
    const type = name === 'main' ? nsid : `${nsid}#${name}`
    const known = definitions.get(type)
    if (known) return known
    const source = defOf(nsid, name)
    if (!source || NOT_REFERABLE.includes(source.type)) return undefined
    let node: Definition['node'] | undefined
    const made: Definition = {
      type,
      nsid: nsid as Nsid,
      name,
      get node() {
        return (node ??= nodeOfNamed(source as doc.NamedDefinition | doc.RecordDefinition, nsid))
      },
    }
    definitions.set(type, made)
    return made
  }

  function defOf(nsid: string, name: string): doc.Definition | undefined {
    const defs = byNsid.get(nsid)?.defs
    return defs && Object.hasOwn(defs, name) ? defs[name] : undefined
  }

  function nodeOfNamed(def: doc.NamedDefinition | doc.RecordDefinition, nsid: string): Definition['node'] {
    if (def.type === 'token') return { kind: 'token' } satisfies TokenNode
    if (def.type === 'record')
      return { kind: 'record', keyRule: def.key, object: objectNode(def.record, nsid) } satisfies RecordNode
    return nodeOf(def, nsid)
  }

  function nodeOf(def: doc.FieldDefinition, nsid: string): Node {
    switch (def.type) {
      case 'boolean':
      case 'integer':
      case 'string':
        return scalarNode(def)
      case 'bytes':
        return { kind: 'bytes', ...defined({ minLength: def.minLength, maxLength: def.maxLength }) }
      case 'cid-link':
        return { kind: 'cid-link' }
      case 'blob':
        return { kind: 'blob', ...defined({ accept: def.accept, maxSize: def.maxSize }) }
      case 'array':
        return {
          kind: 'array',
          items: nodeOf(def.items, nsid),
          ...defined({ minLength: def.minLength, maxLength: def.maxLength }),
        }
      case 'object':
        return objectNode(def, nsid)
      case 'unknown':
        return { kind: 'unknown' }
      case 'ref':
        return refNode(def.ref, nsid)
      case 'union':
        return unionNode(def, nsid)
    }
  }

  function objectNode(def: doc.ObjectDefinition, nsid: string): ObjectNode {
    const required = new Set(def.required)
    const nullable = new Set(def.nullable)
    return {
      kind: 'object',
      fields: Object.entries(def.properties ?? {}).map(([name, property]) => ({
        name,
        node: nodeOf(property, nsid),
        required: required.has(name),
        nullable: nullable.has(name),
      })),
    }
  }

  function refNode(written: string, nsid: string): RefNode {
    const ref = absoluteRef(written, nsid)
    return {
      kind: 'ref',
      ref,
      get target() {
        const target = definition(ref)
        return target?.node.kind === 'token' ? undefined : target
      },
    }
  }

  /** A reference that is written twice counts once. */
  function unionNode(def: doc.UnionDefinition, nsid: string): UnionNode {
    const refs = new Set(def.refs.map((ref) => absoluteRef(ref, nsid)))
    return {
      kind: 'union',
      variants: [...refs].map((ref) => refNode(ref, nsid)),
      closed: def.closed ?? false,
    }
  }

  function bodyNode(def: doc.BodyDefinition, nsid: string): BodyNode {
    const schema = def.schema && (nodeOf(def.schema, nsid) as BodyNode['schema'])
    return { encoding: def.encoding, ...defined({ schema }) }
  }

  function method(nsid: string): Method | undefined {
    const known = methods.get(nsid)
    if (known) return known
    const def = defOf(nsid, 'main')
    if (def?.type !== 'query' && def?.type !== 'procedure' && def?.type !== 'subscription') return undefined
    const made: Method = {
      kind: def.type,
      nsid: nsid as Nsid,
      params: paramNodes(def.parameters),
      errors: def.errors?.map((error) => error.name) ?? [],
      ...(def.type === 'procedure' && def.input && { input: bodyNode(def.input, nsid) }),
      ...(def.type !== 'subscription' && def.output && { output: bodyNode(def.output, nsid) }),
      ...(def.type === 'subscription' && {
        message: unionNode(def.message?.schema ?? { type: 'union', refs: [] }, nsid),
        ...defined({ subprotocol: def.subprotocol }),
      }),
    }
    methods.set(nsid, made)
    return made
  }

  return {
    nsids: [...byNsid.keys()].filter(isNsid).sort(),
    definition,
    method,
    definitionsOf: (nsid) =>
      Object.keys(byNsid.get(nsid)?.defs ?? {})
        .sort((a, b) => Number(b === 'main') - Number(a === 'main'))
        .flatMap((name) => definition(`${nsid}#${name}`) ?? []),
  }
}

/** Every reference of every document that has no target, once per document. */
export function unresolvedRefs(resolver: Resolver): string[] {
  const found = new Set<string>()
  for (const nsid of resolver.nsids) {
    const visit = (node: Node | undefined): void => {
      if (!node) return
      if (node.kind === 'ref' && !node.target) found.add(`${nsid}: ${node.ref}`)
      else if (node.kind === 'array') visit(node.items)
      else if (node.kind === 'object') for (const field of node.fields) visit(field.node)
      else if (node.kind === 'union') for (const variant of node.variants) visit(variant)
    }
    for (const { node } of resolver.definitionsOf(nsid)) {
      if (node.kind === 'record') visit(node.object)
      else if (node.kind !== 'token') visit(node)
    }
    const method = resolver.method(nsid)
    if (method) for (const node of [method.input?.schema, method.output?.schema, method.message]) visit(node)
  }
  return [...found]
}

/** A reference as others would write it: `#main` is left out, because `$type` may not carry it. */
function absoluteRef(ref: string, nsid: string): string {
  const absolute = ref.startsWith('#') ? nsid + ref : ref
  return absolute.endsWith('#main') ? absolute.slice(0, -'#main'.length) : absolute
}

function scalarNode(def: doc.ScalarParamDefinition): BooleanNode | IntegerNode | StringNode {
  switch (def.type) {
    case 'boolean':
      return { kind: 'boolean', ...defined({ const: def.const }) }
    case 'integer':
      return {
        kind: 'integer',
        ...defined({
          minimum: def.minimum,
          maximum: def.maximum,
          values: def.const === undefined ? def.enum : [def.const],
        }),
      }
    case 'string':
      return {
        kind: 'string',
        ...defined({
          format: def.format,
          minLength: def.minLength,
          maxLength: def.maxLength,
          minGraphemes: def.minGraphemes,
          maxGraphemes: def.maxGraphemes,
          values: def.const === undefined ? def.enum : [def.const],
          knownValues: def.knownValues,
        }),
      }
  }
}

function paramNodes(def: doc.ParamsDefinition | undefined): ParamNode[] {
  const mandatory = new Set(def?.required)
  return Object.entries(def?.properties ?? {}).map(([name, property]) => {
    const required = mandatory.has(name)
    if (property.type === 'array')
      return {
        name,
        required,
        node: scalarNode(property.items),
        repeated: defined({ minLength: property.minLength, maxLength: property.maxLength }),
      }
    return { name, required, node: scalarNode(property), ...defined({ default: property.default }) }
  })
}

/** The same fields without those that are undefined. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
