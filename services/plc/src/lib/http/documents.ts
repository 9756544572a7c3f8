import { documentOf, type PlcState } from '@imago/identity/plc'
import type { Reply } from '@imago/xrpc/server'
import type { PlcStore } from '../store/plc-store.ts'
import { headOf, type RefusalStatuses, stateAt, whole } from './answers.ts'

// Long enough to spare a busy directory, short enough that nobody waits for their new handle.
const CACHE_CONTROL = 'public, max-age=5'

/** How much text is kept rendered, in UTF-16 units: some thousand documents. */
const KEPT_LENGTH = 4 * 1024 * 1024

/** The document as JSON-LD or as plain JSON, or the same as plain data. */
export type Form = 'ld' | 'plain' | 'data'

/** What holds for DIDs now, ready to be sent. */
export interface Documents {
  /** @throws {HttpError} when nobody has registered the DID, or it has ended. */
  get(did: string, form: Form): Reply | Promise<Reply>
}

/** Answers about one DID, by form. */
type Rendered = Map<Form, Reply>

/** Renders documents and keeps those that were asked for last, until their DID changes. */
export function createDocuments(store: PlcStore, statuses: RefusalStatuses): Documents {
  /** Those that were asked for longest ago come first. */
  const kept = new Map<string, Rendered>()
  let keptLength = 0
  let changes = 0

  function forget(did: string): void {
    for (const reply of kept.get(did)?.values() ?? []) keptLength -= reply.body!.length
    kept.delete(did)
  }

  function keep(did: string, form: Form, reply: Reply): void {
    const rendered = kept.get(did) ?? new Map()
    kept.set(did, rendered.set(form, reply))
    keptLength += reply.body!.length
    while (keptLength > KEPT_LENGTH) forget(kept.keys().next().value!)
  }

  // Before a submission is answered, so that whoever has its answer sees what it did.
  store.subscribe((operations, withdrawals) => {
    changes++
    for (const { did } of operations) forget(did)
    for (const { did } of withdrawals) forget(did)
  })

  async function render(did: string, form: Form): Promise<Reply> {
    const changesBefore = changes
    const head = await headOf(store, did)
    const reply = RENDER[form](head.cid, stateAt(head, statuses))
    // What was read before a change may be told now, but no longer; and somebody else may have been as quick.
    if (changes === changesBefore && !kept.get(did)?.has(form)) keep(did, form, reply)
    return reply
  }

  return {
    get(did, form) {
      const rendered = kept.get(did)
      const reply = rendered?.get(form)
      if (reply === undefined) return render(did, form)
      kept.delete(did)
      kept.set(did, rendered!)
      return reply
    },
  }
}

const RENDER: Readonly<Record<Form, (cid: string, state: PlcState) => Reply>> = {
  ld: (cid, state) => documentReply('ld+', cid, documentOf(state)),
  plain(cid, state) {
    const { '@context': _, ...document } = documentOf(state)
    return documentReply('', `${cid}-json`, document)
  },
  data: (cid, { did, verificationMethods, rotationKeys, alsoKnownAs, services }) =>
    whole(JSON.stringify({ did, verificationMethods, rotationKeys, alsoKnownAs, services }), {
      contentType: 'application/json; charset=utf-8',
      cacheControl: CACHE_CONTROL,
      tag: `${cid}-data`,
    }),
}

const documentReply = (structure: 'ld+' | '', tag: string, document: object): Reply =>
  whole(JSON.stringify(document), {
    contentType: `application/did+${structure}json; charset=utf-8`,
    cacheControl: CACHE_CONTROL,
    vary: 'Accept',
    tag,
  })

/** JSON-LD unless `application/did+json` was named and preferred: well-known resolvers take no other type. */
export function formOf(accept: string | undefined): 'ld' | 'plain' {
  if (accept === undefined || accept === '*/*') return 'ld'
  return weightOf(accept, 'application/did+json') > weightOf(accept, 'application/did+ld+json')
    ? 'plain'
    : 'ld'
}

/** The weight of a media type that is named itself, not by a wildcard (RFC 9110 §12.5.1). */
function weightOf(accept: string, type: string): number {
  for (const range of accept.split(',')) {
    const [name, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    if (name !== type) continue
    const weight = parameters.find((parameter) => parameter.startsWith('q='))
    return weight === undefined ? 1 : Number(weight.slice(2)) || 0
  }
  return 0
}
