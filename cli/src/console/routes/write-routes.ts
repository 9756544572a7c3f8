import { DataError } from '@imago/data'
import { isNsid, type Nsid } from '@imago/syntax'
import { XrpcError } from '@imago/xrpc'
import type { Context, Hono } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { ConsolePorts } from '../console-ports.ts'
import { failurePage } from '../pages/failure-page.ts'
import { tracePage } from '../pages/trace-page.ts'
import { type FormProblem, type Typed, writePage } from '../pages/write-page.ts'
import type { Render } from '../render.ts'
import type { Session } from '../writing/sessions.ts'
import { writeAndTrace } from '../writing/trace.ts'

const POST = 'app.bsky.feed.post'
const HANDLE_SUFFIX = '.test'

/** `GET /write`, its forms, and the traces of what was written. */
export function writeRoutes(
  app: Hono,
  ports: Pick<ConsolePorts, 'sessions' | 'traces' | 'feeds' | 'now'>,
  render: Render,
): void {
  const { sessions, traces, feeds, now } = ports
  const sessionOf = (c: Context) => sessions.find(getCookie(c, cookieName(c)))

  const show = (c: Context, session: Session | undefined, typed?: Typed, problem?: FormProblem) =>
    c.html(
      render({ title: 'Write', section: 'write', body: writePage(session, typed, problem) }),
      problem ? 400 : 200,
    )

  app.get('/write', (c) => show(c, sessionOf(c)))

  app.post('/write/sign-up', async (c) => {
    const { handle = '', password = '' } = await textFields(c)
    const whole = handle.includes('.') ? handle : `${handle}${HANDLE_SUFFIX}`
    return attempt(
      async () => begin(c, await sessions.signUp({ handle: whole.toLowerCase(), password })),
      (message) => show(c, undefined, { handle }, { form: 'sign-up', message }),
    )
  })

  app.post('/write/sign-in', async (c) => {
    const { identifier = '', password = '' } = await textFields(c)
    return attempt(
      async () => begin(c, await sessions.signIn({ identifier, password })),
      (message) => show(c, undefined, { identifier }, { form: 'sign-in', message }),
    )
  })

  app.post('/write/sign-out', (c) => {
    sessions.end(getCookie(c, cookieName(c)))
    deleteCookie(c, cookieName(c))
    return c.redirect('/write', 303)
  })

  app.post('/write/post', async (c) => {
    const session = sessionOf(c)
    if (session === undefined) return c.redirect('/write', 303)
    const { text = '' } = await textFields(c)
    const record = { $type: POST, text, createdAt: new Date(now()).toISOString() }
    return attempt(
      () => write(c, session, POST, record),
      (message) => show(c, session, { text }, { form: 'post', message }),
    )
  })

  app.post('/write/record', async (c) => {
    const session = sessionOf(c)
    if (session === undefined) return c.redirect('/write', 303)
    const { collection = '', record = '' } = await textFields(c)
    return attempt(
      async () => {
        if (!isNsid(collection))
          throw new FormError(`‘${collection}’ is no collection: expected a name such as com.example.note`)
        return write(c, session, collection, { $type: collection, ...parseRecord(record) })
      },
      (message) => show(c, session, { collection, record }, { form: 'record', message }),
    )
  })

  app.get('/write/traces/:id', (c) => {
    const trace = traces.find(c.req.param('id'))
    if (trace === undefined) {
      const body = failurePage(
        'This trace is gone',
        'The console keeps the last hundred, until it is stopped.',
      )
      return c.html(render({ title: 'Trace', section: 'write', body }), 404)
    }
    return c.html(render({ title: 'Trace', section: 'write', body: tracePage(trace) }))
  })

  function begin(c: Context, session: Session) {
    setCookie(c, cookieName(c), session.id, { path: '/', httpOnly: true, sameSite: 'Strict' })
    return c.redirect('/write', 303)
  }

  async function write(c: Context, session: Session, collection: Nsid, record: unknown) {
    const trace = traces.keep(await writeAndTrace({ session, collection, record, feeds }))
    return c.redirect(`/write/traces/${trace.id}`, 303)
  }
}

/** What was typed cannot be used. */
class FormError extends Error {}

/** Carries out a form. What the writer can mend is told beside it. */
async function attempt(
  work: () => Promise<Response>,
  explain: (message: string) => Response | Promise<Response>,
): Promise<Response> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof XrpcError || error instanceof DataError || error instanceof FormError)
      return explain(sentence(error.message))
    throw error
  }
}

function parseRecord(text: string): object {
  let record: unknown
  try {
    record = JSON.parse(text)
  } catch (error) {
    throw new FormError(`The record is not JSON: ${(error as Error).message}`)
  }
  if (typeof record !== 'object' || record === null || Array.isArray(record))
    throw new FormError('The record has to be a JSON object, such as { "title": "A note" }')
  return record
}

async function textFields(c: Context): Promise<Record<string, string | undefined>> {
  const fields = await c.req.parseBody()
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'string' ? normalLines(value) : undefined,
    ]),
  )
}

/** Forms send line breaks as CRLF. */
const normalLines = (text: string) => text.replaceAll('\r\n', '\n')

/** Browsers do not tell cookies of two ports apart: two networks on one machine are two names. */
const cookieName = (c: Context) => `imago-console-${new URL(c.req.url).port}`

const sentence = (message: string) => message.charAt(0).toUpperCase() + message.slice(1)
