import { isLanguage, isNsid, isRecordKey } from '@imago/syntax'
import { fail } from '../issue.ts'
import { FORMATS } from './formats.ts'
import { all, byType, is, listOf, mapOf, type Rule, shape } from './rule.ts'
import { isInteger } from './values.ts'

const aString = is((value) => typeof value === 'string', 'a string')
const aBoolean = is((value) => typeof value === 'boolean', 'a boolean')
const anInteger = is((value) => isInteger(value), 'an integer')
const aLength = is((value) => isInteger(value, 0), 'an integer of at least 0')
const anNsid = is(isNsid, 'an NSID')
const described = { description: aString }

const DEFINITION_NAME = /^[^#.]+$/
const MAX_NAME = 255
const isName = (value: unknown) =>
  typeof value === 'string' && value.length <= MAX_NAME && DEFINITION_NAME.test(value)
const aDefinitionName = is(isName, 'a name of at most 255 characters without # and .')

const aPropertyName = is(
  (value) => typeof value === 'string' && value !== '' && !value.startsWith('$'),
  'a name that does not begin with $',
)

const isRef = (value: unknown) => {
  if (typeof value !== 'string') return false
  const [nsid, name, more] = value.split('#')
  return (
    more === undefined &&
    (nsid === '' ? name !== undefined : isNsid(nsid)) &&
    (name === undefined || isName(name))
  )
}
const aRef = is(isRef, 'a reference: nsid, nsid#name or #name')

const TOKEN = '[A-Za-z0-9!#$&^_.+-]+'
const TOKEN_ONLY = new RegExp(`^${TOKEN}$`)
const MIME_TYPE = new RegExp(`^(\\*/\\*|${TOKEN}/(\\*|${TOKEN}))$`)
const aMimeType = is(
  (value) => typeof value === 'string' && MIME_TYPE.test(value),
  'a MIME type without parameters, type/* or */*',
)

/** Fields that have passed their own rules: a rule about several knows what they are. */
type Fields = { readonly [field: string]: unknown }

/** Bounds in order: none admits nothing at all. */
function ordered(low: string, high: string): Rule {
  return (def, path, report) => {
    const { [low]: min, [high]: max } = def as { readonly [bound: string]: number | undefined }
    if (min !== undefined && max !== undefined && min > max)
      report({
        path: `${path}/${low}`,
        message: `must not be greater than ${high}: ${min} is greater than ${max}`,
      })
  }
}

const constOrDefault: Rule = (def, path, report) => {
  const fields = def as Fields
  if (fields['const'] !== undefined && fields['default'] !== undefined)
    report({ path: `${path}/default`, message: 'must not stand beside const' })
}

/** Names in `required` and `nullable` are those of declared properties. */
function declared(...lists: readonly string[]): Rule {
  return (def, path, report) => {
    const fields = def as Fields
    const properties = fields['properties'] ?? {}
    for (const list of lists)
      for (const [index, name] of ((fields[list] ?? []) as string[]).entries())
        if (!Object.hasOwn(properties, name))
          report(fail(`${path}/${list}/${index}`, name, 'the name of one of the properties'))
  }
}

// One of `byType` for each place where definitions may stand; they contain each other, hence the late look-up.
const field: Rule = (value, path, report) => {
  if (depth >= MAX_DEPTH) {
    report({ path, message: 'is nested too deeply' })
    return
  }
  depth++
  try {
    aField(value, path, report)
  } finally {
    depth--
  }
}
/** Properties and items around the one at hand. One for all, since nothing here waits. */
let depth = 0
const MAX_DEPTH = 128

const scalars = {
  boolean: shape({}, { ...described, default: aBoolean, const: aBoolean }, constOrDefault),
  integer: shape(
    {},
    {
      ...described,
      minimum: anInteger,
      maximum: anInteger,
      enum: listOf(anInteger, 1),
      default: anInteger,
      const: anInteger,
    },
    all(ordered('minimum', 'maximum'), constOrDefault),
  ),
  string: shape(
    {},
    {
      ...described,
      format: is(
        (value) => typeof value === 'string' && Object.hasOwn(FORMATS, value),
        `one of the formats ${Object.keys(FORMATS).join(', ')}`,
      ),
      minLength: aLength,
      maxLength: aLength,
      minGraphemes: aLength,
      maxGraphemes: aLength,
      enum: listOf(aString, 1),
      knownValues: listOf(aString),
      default: aString,
      const: aString,
    },
    all(ordered('minLength', 'maxLength'), ordered('minGraphemes', 'maxGraphemes'), constOrDefault),
  ),
}

const lengths = { minLength: aLength, maxLength: aLength }

const object = shape(
  {},
  {
    ...described,
    properties: mapOf(aPropertyName, () => field),
    required: listOf(aString),
    nullable: listOf(aString),
  },
  declared('required', 'nullable'),
)

const concrete = {
  ...scalars,
  bytes: shape({}, { ...described, ...lengths }, ordered('minLength', 'maxLength')),
  'cid-link': shape({}, described),
  blob: shape({}, { ...described, accept: listOf(aMimeType), maxSize: aLength }),
  array: shape({ items: field }, { ...described, ...lengths }, ordered('minLength', 'maxLength')),
  object,
}

const ref = shape({ ref: aRef }, described)
const union = shape({ refs: listOf(aRef) }, { ...described, closed: aBoolean }, (def, path, report) => {
  const { refs, closed } = def as { refs: string[]; closed?: boolean }
  if (closed && refs.length === 0)
    report({ path: `${path}/refs`, message: 'must not be empty in a closed union: nothing could be valid' })
})

const aField = byType(
  { ...concrete, ref, union, unknown: shape({}, described) },
  'a type that a property or item can have (not a token, nor a primary type)',
)

const aParam = byType(
  {
    ...scalars,
    array: shape(
      { items: byType(scalars, '"boolean", "integer" or "string"') },
      { ...described, ...lengths },
      ordered('minLength', 'maxLength'),
    ),
  },
  '"boolean", "integer", "string" or "array"',
)

const params = byType(
  {
    params: shape(
      {},
      { ...described, properties: mapOf(aPropertyName, () => aParam), required: listOf(aString) },
      declared('required'),
    ),
  },
  '"params"',
)

const body = shape(
  { encoding: aMimeType },
  { ...described, schema: byType({ object, ref, union }, '"object", "ref" or "union"') },
)

const ERROR_NAME = /^\S+$/
const errors = listOf(
  shape(
    {
      name: is((value) => typeof value === 'string' && ERROR_NAME.test(value), 'a name without white space'),
    },
    described,
  ),
)

const KEY_RULES: readonly unknown[] = ['tid', 'nsid', 'any']
const isKeyRule = (value: unknown) =>
  KEY_RULES.includes(value) ||
  (typeof value === 'string' && value.startsWith('literal:') && isRecordKey(value.slice('literal:'.length)))

// What a resource's permission may ask for is judged where permissions are granted, not here: a permission that cannot
// be understood voids itself and leaves the rest of its set as it is.
const isParameter = (value: unknown) =>
  ['string', 'boolean', 'number'].includes(typeof value) ||
  (Array.isArray(value) && value.every((item) => ['string', 'boolean', 'number'].includes(typeof item)))
const permission = byType(
  {
    permission: all(
      shape({ resource: aString }),
      mapOf(
        () => {},
        () => is(isParameter, 'a string, boolean, integer or an array of those'),
      ),
    ),
  },
  '"permission"',
)
const byLanguage = mapOf(is(isLanguage, 'a language tag'), () => aString)

const primary = {
  record: shape(
    {
      key: is(isKeyRule, '"tid", "nsid", "any" or "literal:<record key>"'),
      record: byType({ object }, '"object"'),
    },
    described,
  ),
  query: shape({}, { ...described, parameters: params, output: body, errors }),
  procedure: shape({}, { ...described, parameters: params, input: body, output: body, errors }),
  subscription: shape(
    {},
    {
      ...described,
      parameters: params,
      subprotocol: is(
        (value) => typeof value === 'string' && TOKEN_ONLY.test(value),
        'the name of a WebSocket subprotocol',
      ),
      message: shape({ schema: byType({ union }, '"union"') }, described),
      errors,
    },
  ),
  'permission-set': shape(
    { permissions: listOf(permission) },
    { ...described, title: aString, 'title:lang': byLanguage, detail: aString, 'detail:lang': byLanguage },
  ),
}

const named = { ...concrete, token: shape({}, described) }
const aNamedDefinition = byType(named, 'a type that a name other than main can stand for')
const aMainDefinition = byType({ ...named, ...primary }, 'a type that main can stand for')

const definitions: Rule = (value, path, report) => {
  mapOf(aDefinitionName, (name) => (name === 'main' ? aMainDefinition : aNamedDefinition))(
    value,
    path,
    report,
  )
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
    report({ path, message: 'must hold at least one definition' })
}

/** A whole schema document. */
export const documentRule: Rule = shape(
  { lexicon: is((value) => value === 1, '1'), id: anNsid, defs: definitions },
  described,
)
