import type { JsonValue } from '@imago/data'
import { tidMicros } from '@imago/syntax'
import { type Html, html } from '../html.ts'
import type { CheckResult } from '../inspect/check-list.ts'
import type { InspectedEvent, InspectedOp, Verification } from '../inspect/inspect-event.ts'
import type { ProvenRecord } from '../inspect/verified-record.ts'
import type { JetstreamMessage } from '../streams/live-event.ts'
import { account, badge, code, facts, json, moment, recordUrl, size, verdict } from './parts.ts'

/** One event of the relay's stream, opened. Fits into a page, and into the inspector beside the live view. */
export function relayEvent(event: InspectedEvent, handle: string | undefined): Html {
  const { stream, did, frameBytes, verification, ops } = event
  if (stream.type === '#info') return html``
  const { seq, time } = stream.event
  return html`<h2 class="event-title">${badge(stream.type.slice(1))} ${seq}</h2>
${verification === undefined ? '' : signature(verification)}
${ops.map((op, index) => operation(op, index, did))}
${facts([
  ['Account', account(did, handle)],
  ['DID', code(did)],
  ...ownFacts(stream),
  ['Seq', String(seq)],
  ['Time', moment(time)],
  ['Frame', size(frameBytes)],
])}
${verification === undefined ? html`<p class="quiet">An event of this kind carries no signature: it says that something may have changed, and whoever reads it asks the directory or the host.</p>` : ''}`
}

function ownFacts(stream: InspectedEvent['stream']): [string, Html | string | undefined][] {
  switch (stream.type) {
    case '#commit': {
      const { rev, since, commit, prevData } = stream.event
      return [
        ['Rev', revOf(rev)],
        ['Since', since === null ? 'nothing: the first commit' : code(since)],
        ['Commit', code(commit.toString())],
        ['Tree before', prevData && code(prevData.toString())],
      ]
    }
    case '#sync':
      return [['Rev', revOf(stream.event.rev)]]
    case '#identity':
      return [['Handle', stream.event.handle]]
    case '#account':
      return [['Status', stream.event.active ? 'active' : (stream.event.status ?? 'inactive')]]
    case '#info':
      return []
  }
}

const revOf = (rev: string): Html =>
  html`${code(rev)} <span class="quiet">${moment(new Date(tidMicros(rev) / 1000).toISOString())}</span>`

function signature({ accepted, summary, checks }: Verification): Html {
  const held = checks.filter(({ outcome }) => outcome === 'holds').length
  const open = checks.filter(({ outcome }) => outcome === 'not made').length
  return html`${verdict(accepted, accepted ? html`The signature holds` : summary)}
<details class="checks"><summary>${held} checks hold${open === 0 ? '' : `, ${open} need more than this event`}</summary>
${accepted ? html`<p class="quiet signer">${summary}</p>` : ''}
<ol>
${checks.map(checkRow)}</ol>
</details>`
}

const SIGNS = { holds: '✓', failed: '✗', 'not made': '·' } as const

function checkRow({ name, outcome, reason }: CheckResult): Html {
  return html`<li data-outcome="${outcome}"><span aria-hidden="true">${SIGNS[outcome]}</span> ${name.replaceAll('-', ' ')} <span class="visually-hidden">${outcome}</span>${reason === undefined ? '' : html` <span class="quiet">${reason}</span>`}</li>\n`
}

function operation({ action, path, cid, prev, record }: InspectedOp, index: number, did: string): Html {
  const slash = path.indexOf('/')
  return html`<section class="operation" id="op-${index}">
<h3>${badge(action)} ${
    action === 'delete'
      ? path
      : html`<a href="${recordUrl(did, path.slice(0, slash), path.slice(slash + 1))}">${path}</a>`
  }</h3>
${facts([
  ['CID', cid === null ? undefined : code(cid.toString())],
  ['Before', prev && code(prev.toString())],
])}
${cid === null ? '' : json(record)}
</section>`
}

/** One message of Jetstream, opened; its record compared with what its host proves. */
export function jetstreamEvent(
  message: JetstreamMessage,
  handle: string | undefined,
  proof: ProvenRecord | { readonly failed: string } | undefined,
): Html {
  const { did, kind, commit, time_us } = message
  return html`<h2 class="event-title">${badge(kind)} ${time_us}</h2>
${proof === undefined || commit === undefined ? '' : comparison(proof, commit.cid)}
${facts([
  ['Account', account(did, handle)],
  ['DID', code(did)],
  ['Record', commit && code(`${commit.collection}/${commit.rkey}`)],
  ['CID', commit?.cid && code(commit.cid)],
  ['Rev', commit && revOf(commit.rev)],
])}
<h3>Message</h3>
${json(message as unknown as JsonValue)}`
}

/** Jetstream says what it has read, unsigned: the account's host can prove it. */
function comparison(proof: ProvenRecord | { readonly failed: string }, cid: string | undefined): Html {
  if ('failed' in proof) return verdict(false, proof.failed)
  if (!proof.found)
    return verdict(
      cid === undefined,
      cid === undefined
        ? 'The repository proves that the record is gone'
        : 'The record is not in its repository any more: it has been deleted since',
    )
  if (proof.cid === cid)
    return verdict(true, 'The repository holds this very record, and its signature holds')
  return verdict(false, html`The record is another by now: ${code(proof.cid)}`)
}
