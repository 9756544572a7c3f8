// The console in a browser: a person signs up, posts, and sees the post arrive in the live view, with its signature
// checked. Every page is looked at for faults that only a browser finds.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { infrastructureTest } from '@imago/sim/infrastructure'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { signUp } from './accounts.ts'
import { browserMissing, openBrowser } from './browser.ts'
import { type Network, startNetwork } from './network.ts'
import { CONTRAST_FAULT, IS_TOO_WIDE } from './page-faults.ts'

let network: Network
let browser: Browser | undefined
before(async () => {
  network = await startNetwork()
  if (browserMissing === undefined) browser = await openBrowser()
})
after(async () => {
  await browser?.close()
  await network[Symbol.asyncDispose]()
})

/** A page whose every fault is kept: refused scripts and styles, failed requests, uncaught errors. */
async function openPage(context: BrowserContext): Promise<{ page: Page; faults: string[] }> {
  const page = await context.newPage()
  const faults: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text())
  })
  page.on('pageerror', (error) => faults.push(String(error)))
  return { page, faults }
}

async function makeAccount(page: Page, name: string): Promise<void> {
  await page.goto(`${network.console}/write`)
  const form = page.locator('form[action="/write/sign-up"]')
  await form.getByLabel('Handle').fill(name)
  await form.getByLabel('Password').fill('correct horse')
  await form.getByRole('button').click()
  await page.getByRole('link', { name: `${name}.test` }).waitFor()
}

async function post(page: Page, text: string): Promise<void> {
  await page.goto(`${network.console}/write`)
  await page.getByLabel('Text of the post').fill(text)
  await page.getByRole('button', { name: 'Post, and follow it' }).click()
  await page.waitForURL('**/write/traces/*')
}

infrastructureTest(
  'a person signs up, posts, and sees the post arrive in the live view',
  browserMissing,
  async () => {
    await using context = await browser!.newContext()
    const { page: watching, faults } = await openPage(context)
    const { page: writing, faults: otherFaults } = await openPage(context)
    await makeAccount(writing, 'ada')
    await watching.goto(`${network.console}/live?account=ada.test&collection=app.bsky.feed.*`)
    await watching.getByText('Following').waitFor()
    assert.equal(await watching.locator('[data-live-event]').count(), 0)

    await post(writing, 'Hello <script>alert(1)</script> & “all”')
    const stops = writing.locator('.trace li')
    assert.deepEqual(
      await stops.evaluateAll((all) => all.map(({ dataset }) => [dataset['stop'], dataset['arrived']])),
      [
        ['answer', 'true'],
        ['pds', 'true'],
        ['relay', 'true'],
        ['jetstream', 'true'],
      ],
    )

    // It comes without the page being loaded again, and opens beside the list.
    const row = watching.locator('[data-live-rows] tr')
    await row.first().waitFor()
    assert.equal(await row.count(), 1)
    assert.match((await row.textContent()) ?? '', /create\s*ada\.test\s*app\.bsky\.feed\.post\/[2-7a-z]{13}/)
    await row.getByRole('link').click()
    const inspector = watching.getByRole('complementary', { name: 'Event' })
    await inspector.getByText('The signature holds').waitFor()
    const told = (await inspector.textContent()) ?? ''
    assert.match(told, /"text": "Hello <script>alert\(1\)<\/script> & “all”"/)
    assert.match(told, /CID\s*bafyrei[a-z2-7]{52}/)
    assert.match(told, /Rev\s*[2-7a-z]{13}/)
    assert.deepEqual([...faults, ...otherFaults], [])
  },
)

infrastructureTest('without JavaScript, the same can be done', browserMissing, async () => {
  await using context = await browser!.newContext({ javaScriptEnabled: false })
  const { page } = await openPage(context)
  await makeAccount(page, 'grace')
  await post(page, 'No script')
  for (const source of ['relay', 'jetstream']) {
    await page.goto(`${network.console}/live?account=grace.test&kind=create&source=${source}`)
    await page.locator('[data-live-event]').click()
    await page
      .getByText(source === 'relay' ? 'The signature holds' : 'The repository holds this very record')
      .waitFor()
    assert.match((await page.locator('main').textContent()) ?? '', /"text": "No script"/)
  }
})

infrastructureTest(
  'what goes wrong in a form is told beside it, and nothing typed is lost',
  browserMissing,
  async () => {
    const { handle } = await signUp(network.pds, 'taken')
    await using context = await browser!.newContext()
    const { page } = await openPage(context)
    await page.goto(`${network.console}/write`)
    const form = page.locator('form[action="/write/sign-up"]')
    await form.getByLabel('Handle').fill(handle)
    await form.getByLabel('Password').fill('correct horse')
    await form.getByRole('button').click()
    assert.match((await page.getByRole('alert').textContent()) ?? '', /taken/)
    assert.equal(await form.getByLabel('Handle').inputValue(), handle)

    await makeAccount(page, 'edsger')
    await page.getByText('Write any other record').click()
    await page.getByLabel('Record, as JSON').fill('{ "price": 1.5 }')
    await page.getByRole('button', { name: 'Write the record' }).click()
    assert.match((await page.getByRole('alert').textContent()) ?? '', /price/)
    assert.equal(await page.getByLabel('Record, as JSON').inputValue(), '{ "price": 1.5 }')
    await page.getByLabel('Record, as JSON').fill('{ "price": 150 }')
    await page.getByRole('button', { name: 'Write the record' }).click()
    await page.waitForURL('**/write/traces/*')
  },
)

infrastructureTest('every page is whole in light, dark and on a phone', browserMissing, async () => {
  const { agent, did } = await signUp(network.pds, 'look')
  const { uri } = await agent.post({ text: 'Look' })
  const record = `/accounts/${did}/app.bsky.feed.post/${uri.split('/').at(-1)}`
  const pages = ['/', '/accounts', `/accounts/${did}`, `/accounts/${did}/app.bsky.feed.post`, record]
  const views = [
    { colorScheme: 'light', viewport: { width: 1280, height: 800 } },
    { colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
    { colorScheme: 'light', viewport: { width: 360, height: 740 } },
  ] as const
  for (const view of views) {
    await using context = await browser!.newContext(view)
    const { page, faults } = await openPage(context)
    for (const path of [...pages, '/live', '/live?source=jetstream', '/write']) {
      await page.goto(`${network.console}${path}`)
      assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1, path)
      assert.equal(
        await page.evaluate(IS_TOO_WIDE),
        false,
        `${path} is wider than a screen of ${view.viewport.width}`,
      )
      assert.equal(await page.evaluate(CONTRAST_FAULT), null, `${path}, ${view.colorScheme}`)
    }
    assert.deepEqual(faults, [])
  }
})

test('answers its health, and Ctrl+C ends the whole network in order', async () => {
  assert.equal((await fetch(`${network.console}/_health`)).status, 200)
  // A browser that watches must not keep it from stopping.
  const stream = await fetch(`${network.console}/live/stream`)
  assert.equal(stream.status, 200)
  const gone = once(network.process, 'exit')
  network.process.kill('SIGINT')
  await stream.text()
  await gone
  assert.equal(network.process.exitCode, 0)
})
