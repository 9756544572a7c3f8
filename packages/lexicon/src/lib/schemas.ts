import { isNsid, isRecordKey, isTid, type Nsid } from '@imago/syntax'
import type { Check } from '../issue.ts'
import { LexiconError } from '../lexicon-error.ts'
import type {
  Body,
  ProcedureSchema,
  QuerySchema,
  RecordSchema,
  Schema,
  SubscriptionSchema,
} from '../schema.ts'
import { type Param, params } from './params.ts'

/** A schema around its check. `name` says in errors what was judged. */
export function schema<T>(check: Check, name = 'value'): Schema<T> {
  return {
    check: (value, mode = 'strict') => check(value, mode),
    validate(value, mode = 'strict') {
      const issue = check(value, mode)
      return issue ? { ok: false, issue } : { ok: true, value: value as T }
    },
    is: (value): value is T => check(value, 'strict') === undefined,
    parse(value) {
      const issue = check(value, 'strict')
      if (issue) throw new LexiconError('InvalidValue', name, [issue])
      return value as T
    },
  }
}

/** A record type around the check of its values. */
export function record<R>(nsid: Nsid, keyRule: string, check: Check): RecordSchema<R> {
  return { ...schema<R>(check, nsid), type: 'record', nsid, keyRule, isKey: keyGuard(keyRule) }
}

const LITERAL = 'literal:'

/** @see https://atproto.com/specs/record-key */
function keyGuard(rule: string): (rkey: string) => boolean {
  if (rule === 'tid') return isTid
  if (rule === 'nsid') return (rkey) => isNsid(rkey) && isRecordKey(rkey)
  if (!rule.startsWith(LITERAL)) return isRecordKey
  const only = rule.slice(LITERAL.length)
  return (rkey) => rkey === only
}

/** What a method is made of: checks where the schema object has schemas, and nothing where it has empty lists. */
interface MethodParts<E extends string> {
  readonly nsid: Nsid
  readonly params?: { readonly [name: string]: Param }
  readonly errors?: readonly E[]
}

interface BodyParts {
  readonly encoding: string
  readonly check?: Check
}

/** A query from its parts. */
export function query<P, O, G = P, E extends string = string>({
  nsid,
  output,
  ...parts
}: MethodParts<E> & { readonly output?: BodyParts }): QuerySchema<P, O, G, E> {
  return {
    type: 'query',
    nsid,
    ...common<P, G, E>(parts),
    ...(output && { output: body<O>(output, `${nsid} output`) }),
  }
}

/** A procedure from its parts. */
export function procedure<P, I, O, G = P, E extends string = string>({
  nsid,
  input,
  output,
  ...parts
}: MethodParts<E> & { readonly input?: BodyParts; readonly output?: BodyParts }): ProcedureSchema<
  P,
  I,
  O,
  G,
  E
> {
  return {
    type: 'procedure',
    nsid,
    ...common<P, G, E>(parts),
    ...(input && { input: body<I>(input, `${nsid} input`) }),
    ...(output && { output: body<O>(output, `${nsid} output`) }),
  }
}

/** A subscription from its parts. */
export function subscription<P, M, G = P, E extends string = string>({
  nsid,
  message,
  subprotocol,
  ...parts
}: MethodParts<E> & { readonly message: Check; readonly subprotocol?: string }): SubscriptionSchema<
  P,
  M,
  G,
  E
> {
  return {
    type: 'subscription',
    nsid,
    ...common<P, G, E>(parts),
    message: schema<M>(message, `${nsid} message`),
    ...(subprotocol !== undefined && { subprotocol }),
  }
}

function common<P, G, E extends string>({ params: table = {}, errors = [] }: Omit<MethodParts<E>, 'nsid'>) {
  return { params: params<P, G>(table), errors }
}

function body<T>({ encoding, check }: BodyParts, name: string): Body<T> {
  return check ? { encoding, schema: schema<T>(check, name) } : { encoding }
}
