import { type Html, html } from '../html.ts'

/** Something that cannot be shown, and why. */
export function failurePage(title: string, message: string): Html {
  return html`<h1>${title}</h1>
<p class="lead">${message}</p>
<p class="actions"><a class="button" href="/">To the overview</a></p>`
}
