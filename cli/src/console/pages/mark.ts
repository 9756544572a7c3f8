import { type Html, html } from '../html.ts'

/** Two pairs of wings about an axis: an imago is an insect in its last, winged form. Takes the colour of the text. */
export function mark(): Html {
  return html`<svg class="mark" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false">
<path d="M15 16C15 8.5 10.5 4 3.5 4A1.5 1.5 0 0 0 2 5.5C2 12.5 6.5 16 15 16Z"/>
<path d="M17 16C17 8.5 21.5 4 28.5 4A1.5 1.5 0 0 1 30 5.5C30 12.5 25.5 16 17 16Z"/>
<path opacity=".5" d="M15 18C15 24 12 28 6.5 28A1.5 1.5 0 0 1 5 26.5C5 21 9 18 15 18Z"/>
<path opacity=".5" d="M17 18C17 24 20 28 25.5 28A1.5 1.5 0 0 0 27 26.5C27 21 23 18 17 18Z"/>
</svg>`
}
