import type { Reply } from '@imago/xrpc/server'
import type { Hono } from 'hono'
import { type Asked, sendTo } from './answers.ts'
import { type Documents, formOf } from './documents.ts'

/** `GET /:did` and `GET /:did/data`: what holds for a DID now. */
export function documentRoutes(app: Hono, documents: Documents): void {
  app.get('/:did', async (c) => (await answerDocument(documents, c.req.param('did'), c.req)).toResponse())
  app.get('/:did/data', async (c) => (await answerData(documents, c.req.param('did'), c.req)).toResponse())
}

export async function answerDocument(documents: Documents, did: string, asked: Asked): Promise<Reply> {
  return await sendTo(asked, await documents.get(did, formOf(asked.header('accept'))))
}

export async function answerData(documents: Documents, did: string, asked: Asked): Promise<Reply> {
  return await sendTo(asked, await documents.get(did, 'data'))
}
