import { invalidRequest } from '@imago/xrpc'
import type { Context, Hono } from 'hono'
import type { ConsolePorts } from '../console-ports.ts'
import { type Html, html } from '../html.ts'
import { inspectFrame } from '../inspect/inspect-event.ts'
import { proveRecord } from '../inspect/verified-record.ts'
import { jetstreamEvent, relayEvent } from '../pages/event-page.ts'
import { eventRow, livePage } from '../pages/live-page.ts'
import type { Render } from '../render.ts'
import { createFilter, type Filter, FilterError, type LiveQuery, readLiveQuery } from '../streams/filter.ts'
import { readJetstream, type Source } from '../streams/live-event.ts'
import { latestEvents, liveStream } from '../streams/live-stream.ts'

const ROWS_AT_FIRST = 100

type LivePorts = Pick<ConsolePorts, 'services' | 'feeds' | 'names' | 'fetch' | 'now'>

/** `GET /live`, its stream of rows as server-sent events, and single events. */
export function liveRoutes(app: Hono, ports: LivePorts, render: Render, stop: AbortSignal): void {
  const { feeds, names } = ports

  app.get('/live', async (c) => {
    const query = readLiveQuery(new URL(c.req.url).searchParams)
    const { filter, problem } = await filterOf(query, ports)
    const after = feeds[query.source].recent.at(-1)?.position ?? 0
    const events = filter
      ? await latestEvents({ feeds, names, source: query.source, filter, max: ROWS_AT_FIRST })
      : []
    const body = livePage({ query, events, after, problem })
    return c.html(
      render({ title: 'Live', section: 'live', wide: true, live: problem === undefined, body }),
      problem ? 400 : 200,
    )
  })

  app.get('/live/stream', async (c) => {
    const params = new URL(c.req.url).searchParams
    const query = readLiveQuery(params)
    const { filter, problem } = await filterOf(query, ports)
    if (!filter) return c.text(`${problem}\n`, 400)
    const after = Number(c.req.header('last-event-id') ?? params.get('after') ?? 0)
    const stream = liveStream({
      feeds,
      names,
      source: query.source,
      filter,
      after: Number.isSafeInteger(after) ? after : 0,
      signal: AbortSignal.any([stop, c.req.raw.signal]),
      row: async (event) => String(await eventRow(event)),
    })
    return c.body(stream, 200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' })
  })

  app.get('/live/:source/:position', async (c) => {
    const { source, position } = c.req.param()
    const event = await openEvent(source, position, ports)
    if (c.req.query('part') !== undefined) return c.html(html`${event}`)
    const body = html`<p class="crumbs"><a href="/live${source === 'jetstream' ? '?source=jetstream' : ''}">Live</a></p>
<h1 class="visually-hidden">Event ${position}</h1>
${event}`
    return showEvent(c, render, position, body)
  })
}

function showEvent(c: Context, render: Render, position: string, body: Html) {
  return c.html(render({ title: `Event ${position}`, section: 'live', body }))
}

async function filterOf(
  query: LiveQuery,
  { names }: Pick<LivePorts, 'names'>,
): Promise<{ filter: Filter; problem: undefined } | { filter: undefined; problem: string }> {
  try {
    return { filter: await createFilter(query, names.didOf), problem: undefined }
  } catch (error) {
    if (error instanceof FilterError) return { filter: undefined, problem: error.message }
    throw error
  }
}

async function openEvent(source: string, position: string, ports: LivePorts): Promise<Html> {
  const { feeds, names, now } = ports
  if (source !== 'relay' && source !== 'jetstream')
    throw invalidRequest(`there is no stream ‘${source}’: expected relay or jetstream`)
  const arrival = await feeds[source].find(Number(position))
  if (arrival === undefined)
    throw invalidRequest(`${titleOf(source)} has no event ${position}, or does not keep it any more`)
  if (source === 'jetstream') return openJetstreamEvent(arrival.payload, ports)
  const event = await inspectFrame(arrival.payload, { names, now })
  if (event === undefined) throw invalidRequest(`event ${position} is about no account`)
  return relayEvent(event, await names.handleOf(event.did))
}

async function openJetstreamEvent(payload: Uint8Array, ports: LivePorts): Promise<Html> {
  const message = readJetstream(payload)
  const { did, commit } = message
  const proof =
    commit &&
    (await proveRecord(did, `${commit.collection}/${commit.rkey}`, ports).catch((error) => ({
      failed: String(error.message),
    })))
  return jetstreamEvent(message, await ports.names.handleOf(did), proof)
}

const titleOf = (source: Source) => (source === 'relay' ? 'The relay' : 'Jetstream')
