import type { HtmlEscapedString } from 'hono/utils/html'

export { html } from 'hono/html'

/** Markup that may stand in a page: what `html` gives, with everything that was put into it escaped. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>
