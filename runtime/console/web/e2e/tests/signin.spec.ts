import { Cluster } from '../support/cluster.ts'
import { test, expect } from '../support/fixtures.ts'
import { Watch } from '../support/watch.ts'

test('who works in a cluster signs in by code and PKCE, comes back to where he was, and signs out', async ({ browser, inbox, stack }) => {
  const cluster = await Cluster.start(stack)
  const context = await browser.newContext({ locale: 'en-GB' })
  const watch = new Watch(context, new URL(cluster.url).host)
  watch.allowHost(new URL(cluster.issuer).host)
  watch.allow(new RegExp(`404.*${new URL(cluster.issuer).host}/favicon.ico`))
  watch.allow(/503.*\/channels\)/) // there is no cluster that has any
  try {
    const { thread_id } = await inbox.event({ thread_id: 'a', title: 'Behind the door', text: 'Come in' })
    const page = await context.newPage()
    const asked = page.waitForRequest((r) => r.url().startsWith(`${cluster.issuer}/authorize`))
    await page.goto(`${cluster.url}/a/${inbox.alias}/t/${thread_id}?status=open`)
    const query = new URL((await asked).url()).searchParams
    expect(query.get('response_type')).toBe('code')
    expect(query.get('code_challenge_method')).toBe('S256')
    expect(query.get('state')).toBeTruthy()
    await page.waitForURL(`${cluster.issuer}/**`)
    await page.getByLabel('Subject').fill(inbox.owner)
    await page.getByRole('button', { name: 'Sign in' }).click()

    await page.waitForURL(new RegExp(`/a/${inbox.alias}/t/${thread_id}\\?status=open`))
    await expect(page.getByRole('log', { name: 'Messages' })).toContainText('Come in')
    // Neither the code nor a token is left where others could read it.
    expect(page.url()).not.toContain('code=')
    const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }) + document.cookie)
    expect(kept).not.toMatch(/eyJ/)

    await inbox.event({ thread_id: 'a', text: 'Live here too' })
    await expect(page.getByRole('log', { name: 'Messages' })).toContainText('Live here too')

    await page.getByRole('button', { name: 'Account' }).click()
    await page.getByRole('menuitem', { name: /sign out/i }).click()
    await expect(page.getByRole('log', { name: 'Messages' })).toHaveCount(0)
    await expect(page.getByRole('button', { name: /sign in/i }).first()).toBeVisible()
    expect(watch.verdict()).toEqual([])
  } finally {
    await context.close()
    await cluster.stop()
  }
})
