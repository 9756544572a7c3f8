import type { Connection } from '@imago/service'
import type { Reply } from '@imago/xrpc/server'
import type { PlcStore } from '../store/plc-store.ts'
import type { Asked } from './answers.ts'
import { answerData, answerDocument } from './document-routes.ts'
import type { Documents } from './documents.ts'
import { answerExport } from './export-routes.ts'
import { MAX_BODY_BYTES, type Submissions } from './submit-routes.ts'

/** Answers a request, or leaves it to the routes: `undefined`. */
export type DirectAnswers = (
  request: Request,
  connection: Partial<Connection>,
) => Promise<Reply | undefined> | undefined

// Spelled as programs spell them, without a query. The one parameter that every path takes is `minSeq`.
const OF_DID = /^\/(did:plc:[a-z2-7]{24})(\/data)?$/
const EXPORT = /^\/export(?:\?(?:after=(\d+)(?:&count=(\d+))?|count=(\d+)(?:&after=(\d+))?))?$/

/**
 * What a directory is asked most, past the router and without objects of the web platform: these cost more than the
 * answer. Whatever is asked in another way goes through the routes, which answer with the same functions.
 */
export function createDirectAnswers({
  store,
  documents,
  submit,
  answerTo,
}: {
  readonly store: PlcStore
  readonly documents: Documents
  readonly submit: Submissions | undefined
  /** The answer to what was thrown. */
  readonly answerTo: (error: unknown) => Reply
}): DirectAnswers {
  function begin(request: Request, connection: Partial<Connection>): Promise<Reply> | undefined {
    const { method } = request
    const asked = askedOf(request, connection)
    const target = targetOf(request, connection)
    const [, did, data] = OF_DID.exec(target) ?? []
    if (method === 'GET') {
      if (asked.header('plc-min-seq') !== undefined) return undefined
      if (did !== undefined)
        return data === undefined ? answerDocument(documents, did, asked) : answerData(documents, did, asked)
      const page = EXPORT.exec(target)
      if (page === null) return undefined
      return answerExport(store, { after: page[1] ?? page[4], count: page[2] ?? page[3] }, asked)
    }
    if (method !== 'POST' || submit === undefined || did === undefined || data !== undefined) return undefined
    // A body of unknown length is for whoever counts while it comes.
    const length = Number(asked.header('content-length') ?? Number.NaN)
    if (!(length <= MAX_BODY_BYTES)) return undefined
    return submitBody(submit, did, request, connection, asked)
  }

  return (request, connection) => begin(request, connection)?.catch(answerTo)
}

async function submitBody(
  submit: Submissions,
  did: string,
  request: Request,
  { remoteAddress }: Partial<Connection>,
  asked: Asked,
): Promise<Reply> {
  const body = await request.arrayBuffer()
  return await submit({ did, body, remoteAddress, allowFreezing: false }, asked)
}

/** Node's own reading of the head, where the request came over a socket: `Headers` would have to be made of it. */
function askedOf(request: Request, { incoming }: Partial<Connection>): Asked {
  return {
    header: incoming
      ? (name) => incoming.headers[name] as string | undefined
      : (name) => request.headers.get(name) ?? undefined,
  }
}

/** Path and query. */
function targetOf(request: Request, { incoming }: Partial<Connection>): string {
  return incoming?.url ?? request.url.slice(request.url.indexOf('/', 'https://'.length))
}
