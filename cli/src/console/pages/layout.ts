import { type Html, html } from '../html.ts'
import { mark } from './mark.ts'

export type Section = 'overview' | 'accounts' | 'live' | 'write'

export interface PageFacts {
  readonly title: string
  readonly section: Section | undefined
  readonly body: Html
  readonly version: string
  /** For pages that hold columns side by side. */
  readonly wide?: boolean
  /** Loads the script of the live parts. */
  readonly live?: boolean
}

const NAVIGATION: readonly { section: Section; href: string; label: string }[] = [
  { section: 'overview', href: '/', label: 'Overview' },
  { section: 'accounts', href: '/accounts', label: 'Accounts' },
  { section: 'live', href: '/live', label: 'Live' },
  { section: 'write', href: '/write', label: 'Write' },
]

/** A whole page. */
export function page({ title, section, body, version, wide, live }: PageFacts): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title === 'Imago' ? title : `${title} · Imago`}</title>
<link rel="icon" href="/assets/mark.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/console.css">
${live ? html`<script type="module" src="/assets/live.js"></script>` : ''}
</head>
<body${wide ? html` class="wide"` : ''}>
<a class="skip" href="#main">Skip to content</a>
<header class="site">
<a class="brand" href="/">${mark()}<span>Imago</span></a>
<nav aria-label="Main">
<ul class="menu">
${NAVIGATION.map(
  ({ section: name, href, label }) =>
    html`<li><a href="${href}"${name === section ? html` aria-current="page"` : ''}>${label}</a></li>`,
)}
</ul>
</nav>
</header>
<main id="main" tabindex="-1">
${body}
</main>
<footer class="site">Imago ${version} · the development network on this machine</footer>
</body>
</html>
`
}
