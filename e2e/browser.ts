import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const executablePath = '/usr/bin/chromium'

/** What is missing for a test that needs a browser; undefined when nothing is. */
export const browserMissing = existsSync(executablePath) ? undefined : `${executablePath} is not installed`

/** Debian's Chromium, headless, without the background traffic that a test does not want. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
