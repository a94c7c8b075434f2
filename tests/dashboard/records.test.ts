import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { until, type Side } from '../processes.fixture.ts'
import { button, isBrowserAbsent, launchBrowser, PATIENCE, Windows } from './browser.fixture.ts'
import { IdentityProvider } from './identity-provider.fixture.ts'
import { PageSystem, type Role } from './page-system.fixture.ts'

const isAbsent = isBrowserAbsent()
const VITE = fileURLToPath(new URL('../../node_modules/vite/bin/vite.js', import.meta.url))
const DASHBOARD = fileURLToPath(new URL('../../apps/dashboard', import.meta.url))

let desk: PageSystem
let browser: Browser
let windows: Windows
let told: Side
let toldId: string

/** What the Data Service lists. */
let listed: readonly string[] = []
const dataService = createServer((_, response) => {
  const results = listed.map((kf_id) => ({ kf_id, name: `Study ${kf_id.slice(-1)}`, visible: true }))
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ results, total: results.length, _links: {} }))
})

beforeAll(async () => {
  if (isAbsent) return
  browser = await launchBrowser()
  windows = new Windows(browser)
  await new Promise<void>((resolve) => dataService.listen(0, '127.0.0.1', resolve))
  const { port } = dataService.address() as AddressInfo
  desk = await PageSystem.start({ DATASERVICE_URL: `http://127.0.0.1:${port}` })
  told = await desk.startTold()
  toldId = await desk.register('told-task', told)
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await desk?.end()
  dataService.closeAllConnections()
  dataService.close()
})
afterEach(async ({ task }) => {
  if (isAbsent) return
  desk.tell('go')
  expect(await windows.close(task.result?.state === 'fail')).toEqual([])
})

const STUDIES = ['SD_00000001', 'SD_00000002', 'SD_00000003', 'SD_00000004']

const open = async (path: string, role: Role | null) => windows.open(await desk.at(path, role))
const said = (page: Page, text: string) => page.locator('.announcer', { hasText: text }).waitFor()

/** A release over two studies. @returns its id */
async function issue(name: string): Promise<string> {
  listed = STUDIES
  await desk.ask('POST', '/studies/sync')
  return (await desk.ask('POST', '/releases', { name, studies: STUDIES.slice(0, 2) })).kf_id
}

describe.skipIf(isAbsent)('the records behind a release, in a browser', { timeout: 120_000 }, () => {
  test('studies are synchronised; where most would go, only after a person insists', async () => {
    listed = STUDIES
    const { page, expects } = await open('/studies', 'developer')
    await page.getByText('There are no studies yet.').waitFor()
    await button(page, 'Synchronise').click()
    await said(page, 'Synchronised: 4 new, 0 gone.')
    await page.getByRole('link', { name: 'Study 4' }).waitFor()

    listed = STUDIES.slice(0, 1)
    expects(/409/)
    await button(page, 'Synchronise').click()
    await page.getByRole('alert').getByText('Not synchronised.').waitFor()
    await button(page, 'Synchronise all the same…').click()
    const dialog = page.getByRole('dialog', { name: 'Mark more than half of the studies as gone?' })
    await button(dialog, 'Back').click()
    await dialog.waitFor({ state: 'detached' })
    expect((await desk.ask('GET', '/studies')).results.map((study: any) => study.deleted)).not.toContain(true)
    await button(page, 'Synchronise all the same…').click()
    await button(dialog, 'Synchronise all the same').click()
    await said(page, 'Synchronised: 0 new, 3 gone.')
    await expect.poll(() => page.getByText('gone from the Data Service').count(), PATIENCE).toBe(3)
    await page.getByRole('alert').waitFor({ state: 'detached' })
    await dialog.waitFor({ state: 'detached' })
  })

  test('a service is edited, with its deadlines; only what was changed is sent', async () => {
    const { page } = await open(`/task-services/${toldId}`, 'developer')
    await page.getByText('Version 2.3.4').waitFor()
    await button(page, 'Edit').click()
    const form = page.getByRole('form', { name: 'Edit told-task' })
    await form.getByLabel('silence').fill('soon')
    await form.getByText('The deadline silence is written such as 30s, 10m or 1h.').waitFor()
    await form.getByLabel('silence').fill('20m')
    await form.getByLabel('Description').fill('does what it is told')
    const sent = page.waitForRequest((request) => request.method() === 'PATCH')
    await button(form, 'Save').click()
    expect((await sent).postDataJSON()).toEqual({
      description: 'does what it is told',
      deadlines: { silence: '20m' },
    })
    await said(page, 'told-task was saved.')
    await page.getByText('does what it is told').waitFor()
    await page.getByText('20m').waitFor()
    expect(await desk.ask('GET', `/task-services/${toldId}`)).toMatchObject({
      deadlines: { silence: '20m', total: null },
    })

    await button(page, 'Edit').click()
    await form.getByLabel('silence').fill('')
    await button(form, 'Save').click()
    await form.waitFor({ state: 'detached' })
    await page.getByText('20m').waitFor({ state: 'detached' })
    expect((await desk.ask('GET', `/task-services/${toldId}`)).deadlines.silence).toBe(null)
  })

  test('a service is removed, and not while a release needs it; the reason is shown', async () => {
    const other = await desk.startTask('report-task')
    const id = await desk.register('to be removed', other)
    desk.tell('hold')
    const release = await issue('Needs both')
    await desk.reaches(release, 'running')
    const { page, expects } = await open(`/task-services/${id}`, 'developer')
    const dialog = page.getByRole('dialog', { name: 'Remove to be removed?' })
    expects(/409/)
    await button(page, 'Remove…').click()
    await button(dialog, 'Remove the service').click()
    await dialog.getByText(`has a task in ${release}, which has not ended: cancel it first.`).waitFor()
    await button(dialog, 'Back').click()
    await desk.ask('DELETE', `/releases/${release}`)
    await desk.reaches(release, 'canceled')
    await button(page, 'Remove…').click()
    await button(dialog, 'Remove the service').click()
    await said(page, 'to be removed was removed.')
    await page.getByRole('link', { name: 'told-task' }).waitFor()
    expect(await page.getByRole('link', { name: 'to be removed' }).count()).toBe(0)
    expect((await desk.ask('GET', '/task-services')).results.map(({ name }: any) => name)).toEqual([
      'told-task',
    ])
  })

  test('a description is edited; notes are written, edited and removed', async () => {
    const id = await issue('Described')
    await desk.reaches(id, 'staged')
    const { page } = await open(`/releases/${id}`, 'admin')
    await button(page, 'Edit description').click()
    await page
      .getByLabel('Description', { exact: true })
      .fill('All of **spring**, <script>alert(1)</script> too.')
    await page.getByText('Preview').click()
    await page.getByRole('strong').getByText('spring').waitFor()
    await button(page, 'Save').click()
    await said(page, 'The description was saved.')
    await page.getByRole('strong').getByText('spring').waitFor()
    expect((await desk.ask('GET', `/releases/${id}`)).description).toContain('**spring**')

    await button(page, /^Write a note on Study 2/).click()
    await page.getByLabel('Note', { exact: true }).fill('Counts are *right*.')
    await button(page, 'Save note').click()
    await said(page, 'The note was saved.')
    const note = page.getByRole('article', { name: 'Note by dev-admin' })
    await note.getByText('right').waitFor()
    const [stored] = (await desk.ask('GET', `/release-notes?release=${id}`)).results
    expect(stored.study).toMatch(/SD_00000002$/)

    await button(note, 'Edit').click()
    await page.getByLabel('Note', { exact: true }).fill('Counts are wrong.')
    await button(page, 'Save note').click()
    await note.getByText('Counts are wrong.').waitFor()
    await button(note, 'Remove').click()
    await button(page.getByRole('dialog', { name: 'Remove this note?' }), 'Remove the note').click()
    await said(page, 'The note was removed.')
    await note.waitFor({ state: 'detached' })
    expect((await desk.ask('GET', `/release-notes?release=${id}`)).count).toBe(0)
  })

  test('filters are in the address: they outlive a reload, and are there again on coming back', async () => {
    const id = await issue('Autumn')
    await desk.reaches(id, 'staged')
    await desk.ask('DELETE', `/releases/${id}`)
    await desk.reaches(id, 'canceled')
    await issue('Winter')
    const { page } = await open('/releases', null)
    const names = () => page.getByRole('table').getByRole('link').allTextContents()
    await page.getByLabel('State').selectOption('canceled')
    await page.getByLabel('Name contains').fill('AUT')
    await expect.poll(names, PATIENCE).toEqual(['Autumn'])
    expect(new URL(page.url()).search).toBe('?state=canceled&name=AUT')
    const isKept = async () => {
      await expect.poll(names, PATIENCE).toEqual(['Autumn'])
      expect(await page.getByLabel('State').inputValue()).toBe('canceled')
      expect(await page.getByLabel('Name contains').inputValue()).toBe('AUT')
    }
    await page.reload()
    await isKept()
    await page.getByRole('link', { name: 'Autumn' }).click()
    await page.getByRole('heading', { name: 'Autumn', level: 1 }).waitFor()
    await page.goBack()
    await isKept()
    await button(page, 'Clear').click()
    await page.getByRole('link', { name: 'Winter' }).waitFor()
    expect(new URL(page.url()).search).toBe('')
    expect(await page.getByLabel('Name contains').inputValue()).toBe('')
  })

  test('the audit trail says field by field what was asked for, as text, and a long text as a whole', async () => {
    const description = `<b>All</b> of spring. ${'Counted twice. '.repeat(20)}\n\nThe end.`
    const release = await issue('Told')
    const { kf_id } = await desk.ask('POST', '/release-notes', {
      release: `/releases/${release}`,
      description,
    })
    const { page } = await open('/audit?follow=no', 'admin')
    const entry = page.getByRole('row').filter({ hasText: kf_id })
    await entry.getByText('<b>All</b> of spring. Counted twice.').first().waitFor()
    const fields = await entry.locator('.fields > div').allInnerTexts()
    expect(fields.map((text) => text.replaceAll(/\s+/g, ' ').slice(0, 30))).toEqual([
      'method: POST',
      'author: dev-admin',
      'study: null',
      'description: <b>All</b> of spr',
      `release: ${release}`,
    ])
    const whole = entry.getByText('The end.')
    expect(await whole.isVisible()).toBe(false)
    await entry.getByRole('group').getByText(/…$/).click()
    expect(await whole.innerText()).toBe(description)
    expect(await entry.locator('b').count()).toBe(0)
  })

  test('events of a type are found among all there are, not only on the page that is shown', async () => {
    desk.tell('fail')
    const failed = await issue('With an error')
    await desk.reaches(failed, 'failed')
    desk.tell('go')
    // More than a page of other events after it.
    for (let number = 0; number < 6; number++) await desk.reaches(await issue(`Later ${number}`), 'staged')
    const { page } = await open('/events', null)
    await page.locator('.event').nth(49).waitFor()
    expect(await page.locator('.event').getByText('error', { exact: true }).count()).toBe(0)
    await page.getByLabel('Type').selectOption('error')
    const shown = page.locator('.event')
    await shown.getByText('With an error').or(shown.getByText(failed)).first().waitFor()
    const types = await shown.locator('.badge').allTextContents()
    expect(new Set(types.map((text) => text.split(' ').at(-1)))).toEqual(new Set(['error']))
  })

  test('a page whose files have gone with a new version is loaded anew, once', async () => {
    const openGone = async (howOften: number) => {
      const { page, expects } = await open('/releases', null)
      expects(/404|PartMissing/)
      await page.locator('[data-connection="live"]').waitFor()
      const seen = { page, loads: 0 }
      await page.route(/\/assets\/page-/, (route) =>
        seen.loads < howOften ? route.fulfill({ status: 404 }) : route.fallback(),
      )
      page.on('request', (request) => (seen.loads += request.isNavigationRequest() ? 1 : 0))
      await page.getByRole('link', { name: 'Audit' }).click()
      return seen
    }
    const updated = await openGone(1)
    await updated.page.getByText('Only admins read the audit trail.').waitFor()
    expect(updated.loads).toBe(1)
    const broken = await openGone(Number.POSITIVE_INFINITY)
    await broken.page.getByRole('heading', { name: 'This page could not be shown' }).waitFor()
    await broken.page.getByRole('alert').getByText('Reload the page').waitFor()
    expect(broken.loads).toBe(1)
  })

  test('an account elsewhere signs in by a code with PKCE, and the page goes on where it was', async () => {
    const provider = await IdentityProvider.start()
    try {
      const page = join(desk.system.folder, 'page')
      const coordinator = await desk.system.start(
        ['coordinator', '--port', '0', '--data', join(desk.system.folder, 'oidc')],
        { ...provider.settings, DASHBOARD_DIR: page },
      )
      await signsIn(provider, coordinator.url)
    } finally {
      await provider.end()
    }
  })

  test('the development server of the page signs in at the local issuer, too', async () => {
    const child = spawn(process.execPath, [VITE, DASHBOARD, '--host', '127.0.0.1', '--port', '0'], {
      env: { PATH: process.env['PATH'] ?? '', NO_COLOR: '1', COORDINATOR_API: desk.url },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()))
    try {
      const line = /Local:\s+(http:\S+?)\/?\s/
      const text = await until(
        async () => printed,
        (seen) => line.test(seen),
      )
      const origin = line.exec(text)?.[1] ?? ''
      const { ways } = (await (await fetch(`${origin}/sign-in`)).json()) as any
      const url = new URL(ways[0].token_url, origin)
      expect([ways[0].kind, url.origin]).toEqual(['local', origin])
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin },
        body: JSON.stringify({ grant_type: 'client_credentials', role: 'admin' }),
      })
      const { access_token: token } = (await answer.json()) as any
      const me = await fetch(`${origin}/me`, { headers: { authorization: `Bearer ${token}` } })
      expect(await me.json()).toMatchObject({ subject: 'dev-admin', roles: ['admin'] })
    } finally {
      child.kill('SIGKILL')
    }
  })
})

async function signsIn(provider: IdentityProvider, url: string): Promise<void> {
  const { page, expects } = await windows.open({
    url: `${url}/events?type=error`,
    origins: [provider.origin],
  })
  await button(page, 'Sign in').click()
  await page.getByRole('dialog').getByText('Your account at 127.0.0.1').waitFor()
  await button(page.getByRole('dialog'), 'Sign in').click()
  await page.locator('.account').getByText('ada').waitFor()
  await page.locator('.account').getByText('admin').waitFor()
  expect(provider.refused).toEqual([])
  await expect.poll(() => page.url(), PATIENCE).toBe(`${url}/events?type=error`)

  // The way back again: the code was good once, and what belonged to it is gone.
  await button(page, 'Sign out').click()
  await page.goto(`${url}/signed-in?code=again&state=again`)
  await page.getByText('No sign-in was begun in this tab. Sign in again.').waitFor()
  provider.isMixedUp = true
  await page.goto(`${url}/events`)
  await button(page, 'Sign in').click()
  await button(page.getByRole('dialog'), 'Sign in').click()
  await page.getByText('The token was made for another sign-in. Sign in again.').waitFor()
  expect(await button(page, 'Sign out').count()).toBe(0)
  expects(/^$/)
}
