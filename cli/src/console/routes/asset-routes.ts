import { readFile } from 'node:fs/promises'
import type { Hono } from 'hono'
import { mark } from '../pages/mark.ts'

const FILES = {
  'console.css': 'text/css; charset=utf-8',
  'live.js': 'text/javascript; charset=utf-8',
} as const

/** The style sheet, the script and the mark. Files are read as they are asked for: in development they change. */
export function assetRoutes(app: Hono): void {
  for (const [name, type] of Object.entries(FILES))
    app.get(`/assets/${name}`, async (c) =>
      c.body(await readFile(new URL(`../assets/${name}`, import.meta.url), 'utf8'), 200, {
        'content-type': type,
        'cache-control': 'no-cache',
      }),
    )
  app.get('/assets/mark.svg', async (c) => {
    // As an image of its own it has no text to take its colour from.
    const svg = String(await mark()).replace(
      '<svg ',
      '<svg xmlns="http://www.w3.org/2000/svg" fill="#4f5bd5" ',
    )
    return c.body(svg, 200, { 'content-type': 'image/svg+xml' })
  })
  app.get('/favicon.ico', (c) => c.redirect('/assets/mark.svg'))
}
