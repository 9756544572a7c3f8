// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { DataMap } from '@imago/data'
import type { Issue, Mode, ProcedureSchema } from '@imago/lexicon/runtime'
import { fail, isMap, isUnknown, procedure } from '@imago/lexicon/runtime'

export type Params = {}

export type Input = {
  token?: string
  rotationKeys?: string[]
  alsoKnownAs?: string[]
  verificationMethods?: DataMap
  services?: DataMap
}

export type Output = {
  operation: DataMap
}

export function checkInput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if ((x = v.token) !== undefined && typeof x !== 'string') return fail('/token', x, 'a string')
  if ((x = v.rotationKeys) !== undefined) {
    if (!Array.isArray(x)) return fail('/rotationKeys', x, 'an array')
    for (let i = 0; i < x.length; i++) if (typeof x[i] !== 'string') return fail(`/rotationKeys/${i}`, x[i], 'a string')
  }
  if ((x = v.alsoKnownAs) !== undefined) {
    if (!Array.isArray(x)) return fail('/alsoKnownAs', x, 'an array')
    for (let i = 0; i < x.length; i++) if (typeof x[i] !== 'string') return fail(`/alsoKnownAs/${i}`, x[i], 'a string')
  }
  if ((x = v.verificationMethods) !== undefined && !isUnknown(x)) return fail('/verificationMethods', x, 'an object, and not a blob')
  if ((x = v.services) !== undefined && !isUnknown(x)) return fail('/services', x, 'an object, and not a blob')
  return undefined
}

export function checkOutput(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if (!isUnknown(x = v.operation)) return fail('/operation', x, 'an object, and not a blob')
  return undefined
}

export const main: ProcedureSchema<Params, Input, Output> = /*#__PURE__*/ procedure({
  nsid: 'com.atproto.identity.signPlcOperation',
  input: { encoding: 'application/json', check: checkInput },
  output: { encoding: 'application/json', check: checkOutput },
})
