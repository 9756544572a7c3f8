// The live view: adds rows as they come, and opens events beside them. Rows and events are markup that the server made
// and escaped; without this script the same links lead to pages of their own.

const MAX_ROWS = 300
/** Below this width events open as pages. As in the style sheet. */
const wide = matchMedia('(min-width: 60.001rem)')

const live = document.querySelector('[data-live]')
const rows = document.querySelector('[data-live-rows]')
const inspector = document.querySelector('[data-live-inspector]')
const state = document.querySelector('[data-live-state]')
const pause = document.querySelector('[data-live-pause]')
const empty = document.querySelector('[data-live-empty]')

let paused = false
/** Markup of rows that came during a pause, newest first. */
let waiting = []

function show(name, text) {
  state.hidden = false
  state.dataset.state = name
  state.textContent = text
}

function add(markup) {
  const template = document.createElement('template')
  template.innerHTML = markup
  for (const row of template.content.children) row.dataset.new = ''
  rows.prepend(template.content)
  while (rows.children.length > MAX_ROWS) rows.lastElementChild.remove()
  empty.hidden = true
}

function follow() {
  const url = new URL(live.dataset.live, location.href)
  url.searchParams.set('after', live.dataset.liveAfter)
  const source = new EventSource(url)
  show('connecting', 'Connecting')
  source.addEventListener('open', () => show(paused ? 'paused' : 'live', paused ? 'Paused' : 'Following'))
  source.addEventListener('error', () => show('away', 'Connection lost, trying again'))
  source.addEventListener('rows', ({ data }) => {
    const markup = JSON.parse(data)
    if (!paused) return add(markup)
    waiting = [markup, ...waiting].slice(0, MAX_ROWS)
    show('paused', 'Paused, more has come')
  })
  // A page that is put aside and shown again would otherwise keep a connection of the few that a browser has.
  addEventListener('pagehide', () => source.close(), { once: true })
}

pause.addEventListener('click', () => {
  paused = !paused
  pause.textContent = paused ? 'Go on' : 'Pause'
  show(paused ? 'paused' : 'live', paused ? 'Paused' : 'Following')
  if (paused) return
  add(waiting.join(''))
  waiting = []
})

let opening = 0

async function open(link) {
  const mine = ++opening
  const url = new URL(link.href)
  url.searchParams.set('part', '')
  for (const other of rows.querySelectorAll('[data-open]')) delete other.dataset.open
  link.closest('tr').dataset.open = ''
  let markup
  try {
    const response = await fetch(url)
    if (!response.ok) throw new Error(`status ${response.status}`)
    markup = await response.text()
  } catch {
    // The page of its own says what is wrong.
    location.href = link.href
    return
  }
  if (mine !== opening) return
  inspector.innerHTML = markup
  inspector.scrollTop = 0
  if (url.hash) inspector.querySelector(url.hash)?.scrollIntoView({ block: 'nearest' })
}

rows.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-live-event]')
  const isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) && event.button === 0
  if (!link || !isPlain || !wide.matches) return
  event.preventDefault()
  open(link)
})

rows.addEventListener('keydown', (event) => {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
  const row = event.target.closest('tr')
  const next = event.key === 'ArrowDown' ? row?.nextElementSibling : row?.previousElementSibling
  const link = next?.querySelector('a[data-live-event]')
  if (!link) return
  event.preventDefault()
  link.focus()
})

if (live) {
  pause.hidden = false
  follow()
}
