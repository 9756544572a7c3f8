import { type Html, html } from '../html.ts'
import type { Overview, ServiceState } from '../queries/overview.ts'
import type { ServiceUrls } from '../service-urls.ts'
import { milliseconds } from './parts.ts'

/** What runs, where, and how to use it. */
export function overviewPage(
  { services: states, accounts, lastSeq, recentEvents }: Overview,
  services: ServiceUrls,
  dataPath: string,
): Html {
  const down = states.filter(({ isUp }) => !isUp)
  return html`<header class="hero">
<h1>A whole network, on this machine</h1>
<p class="lead">${
    down.length === 0
      ? 'Every service answers. '
      : html`<strong>${down.map(({ title }) => title).join(', ')} ${down.length === 1 ? 'does' : 'do'} not answer.</strong> `
  }Make an account, write a post, and watch it travel from its host to everybody who listens.</p>
<p class="actions"><a class="button primary" href="/write">Write a post</a> <a class="button" href="/live">Watch events</a></p>
</header>

<section aria-labelledby="figures-title">
<h2 id="figures-title" class="visually-hidden">Figures</h2>
<ul class="figures">
<li><a href="/accounts"><b>${accounts === undefined ? '–' : `${accounts.count.toLocaleString('en')}${accounts.more ? '+' : ''}`}</b> ${accounts?.count === 1 ? 'account' : 'accounts'}</a></li>
<li><a href="/live"><b>${recentEvents.toLocaleString('en')}</b> ${recentEvents === 1 ? 'event' : 'events'} seen here</a></li>
<li><a href="/live"><b>${lastSeq === undefined ? '–' : lastSeq.toLocaleString('en')}</b> last seq</a></li>
</ul>
</section>

<section aria-labelledby="services-title">
<h2 id="services-title">Services</h2>
<ol class="services">
${states.map(serviceCard)}
</ol>
<p class="quiet">Data in <code class="whole">${dataPath}</code></p>
</section>

<section aria-labelledby="code-title">
<h2 id="code-title">From code</h2>
<p>Any atproto client works here, unchanged: point it at these addresses.</p>
<div class="snippets">
${snippet('Sign up and post, with @atproto/api', typescript(services.pds))}
${snippet('Follow posts as JSON, in a browser or in Node', websocket(services.jetstream))}
${snippet('Ask from a shell', shell(services))}
</div>
</section>`
}

function serviceCard({ title, about, url, healthUrl, isUp, version, latencyMs, figure }: ServiceState): Html {
  return html`<li class="card">
<h3>${title}</h3>
<p class="state" data-up="${String(isUp)}">${
    isUp ? html`answers in ${milliseconds(latencyMs)}` : html`does not answer`
  }</p>
<p class="about">${about}</p>
<p><a class="address" href="${healthUrl}">${url.replace('http://', '')}</a></p>
<p class="quiet">${figure ?? html`&nbsp;`}</p>
<p class="quiet">${version === undefined ? html`&nbsp;` : `version ${version}`}</p>
</li>\n`
}

function snippet(title: string, text: string): Html {
  return html`<figure class="snippet"><figcaption>${title}</figcaption><pre tabindex="0"><code>${text}</code></pre></figure>\n`
}

const typescript = (pds: string) => `import { AtpAgent } from '@atproto/api'

const agent = new AtpAgent({
  service: '${pds}',
})
await agent.createAccount({
  handle: 'alice.test',
  email: 'alice@example.com',
  password: 'correct horse',
})
await agent.post({ text: 'Hello from my own network' })`

const websocket = (jetstream: string) => `const url = '${jetstream.replace('http', 'ws')}/subscribe'
const wanted = 'wantedCollections=app.bsky.feed.post'
const socket = new WebSocket(\`\${url}?\${wanted}\`)
socket.onmessage = ({ data }) => {
  const { did, commit } = JSON.parse(data)
  console.log(did, commit?.record?.text)
}`

const shell = ({
  pds,
  plc,
  relay,
}: ServiceUrls) => `curl '${pds}/xrpc/com.atproto.identity.resolveHandle?handle=alice.test'
curl '${pds}/xrpc/com.atproto.sync.listRepos'
curl '${relay}/xrpc/com.atproto.sync.listHosts'
curl '${plc}/export?count=10'`
