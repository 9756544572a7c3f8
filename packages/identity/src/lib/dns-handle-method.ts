import { type Did, isDid } from '@imago/syntax'
import { type HandleMethod, hasCode, notFound } from './handle-method.ts'

/** The TXT records of a name, each as its character-strings. No records: an empty list, or an error with `code` ENOTFOUND or ENODATA. */
export type ResolveTxt = (name: string) => Promise<readonly (readonly string[])[]>

const MAX_TXT_RECORDS = 64

/**
 * The way through a TXT record `did=…` at `_atproto.<handle>`.
 * @see https://atproto.com/specs/handle#dns-txt-method
 */
export function createDnsHandleMethod(resolveTxt: ResolveTxt): HandleMethod {
  return async (handle) => {
    const name = `_atproto.${handle}`
    if (name.length > 253) return undefined
    let records: readonly (readonly string[])[]
    try {
      records = await resolveTxt(name)
    } catch (error) {
      if (hasCode(error, 'ENOTFOUND') || hasCode(error, 'ENODATA')) return undefined
      throw error
    }
    if (records.length > MAX_TXT_RECORDS)
      throw notFound(handle, `${name} has ${records.length} TXT records (max ${MAX_TXT_RECORDS})`)
    const dids = new Set<Did>()
    for (const strings of records) {
      const text = strings.join('')
      const did = text.startsWith('did=') ? text.slice('did='.length).trim() : undefined
      if (isDid(did)) dids.add(did)
    }
    if (dids.size > 1)
      throw notFound(handle, `${name} names several DIDs: ${[...dids].slice(0, 4).join(', ')}`)
    return dids.values().next().value
  }
}
