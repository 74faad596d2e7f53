// Measures the page in a real browser for hack/bench: a task comes in as JSON, and what was seen goes out as JSON.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { chromium } from '@playwright/test'

const patience = 20_000
const viewport = { width: 1440, height: 900 }

const chunks = []
for await (const chunk of process.stdin) chunks.push(chunk)
const task = JSON.parse(Buffer.concat(chunks).toString())
const address = `${task.url}/a/${task.alias}`
const list = '[role="list"][aria-label="Threads"]'
const log = '[role="log"][aria-label="Messages"]'

const contexts = new Set()
process.once('SIGINT', () => void Promise.all([...contexts].map((c) => c.close())).finally(() => process.exit(1)))

// open starts a browser on a profile, which is how one gets to know that nothing is cached.
async function open(profile) {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--enable-precise-memory-info',
    ],
    viewport,
    locale: 'en-GB',
  })
  contexts.add(context)
  context.once('close', () => contexts.delete(context))
  await context.addInitScript((token) => sessionStorage.setItem('socialops.token', token), task.token)
  return context
}

async function withBrowser(work) {
  const profile = mkdtempSync(join(tmpdir(), 'socialops-bench-'))
  try {
    const context = await open(profile)
    try {
      return { ...(await work(context)), browser: `Chromium ${context.browser()?.version() ?? ''}`.trim() }
    } finally {
      await context.close()
    }
  } finally {
    rmSync(profile, { recursive: true, force: true })
  }
}

// watchFirst notes when the list is painted: rows are there and nothing waits. It runs before the page's own scripts.
function watchFirst([selector]) {
  const done = new MutationObserver(look)
  function look() {
    const there = document.querySelector(selector)
    if (!there || there.querySelectorAll('[role="listitem"]').length < 5 || there.closest('[aria-busy="true"]')) return
    done.disconnect()
    // What is in the next frame is painted once the frame after it begins.
    requestAnimationFrame(() => requestAnimationFrame(() => (window.painted = performance.now())))
  }
  done.observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['aria-busy'] })
}

async function firstView(context) {
  const page = await context.newPage()
  await page.goto(address, { waitUntil: 'commit' })
  // Whoever asks meanwhile, as waitForFunction does in each frame, takes the page's own time.
  await page.waitForTimeout(1500)
  const took = await (await page.waitForFunction(() => window.painted, undefined, { timeout: patience })).jsonValue()
  const scripts = await page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .filter((r) => r.startTime < window.painted)
      .filter((r) => r.initiatorType === 'script' || (r.initiatorType === 'link' && /\.js(\?|$)/.test(r.name)) || /\.js(\?|$)/.test(r.name))
      .map((r) => r.name),
  )
  await page.close()
  return { took, scripts: [...new Set(scripts)] }
}

async function first() {
  const cold = []
  const warm = []
  let scripts = []
  let browser = ''
  for (let n = 0; n < task.tries; n++) {
    const seen = await withBrowser(async (context) => {
      await context.addInitScript(watchFirst, [list])
      const one = await firstView(context)
      const two = await firstView(context)
      return { one, two }
    })
    cold.push(seen.one.took)
    warm.push(seen.two.took)
    scripts = seen.one.scripts
    browser = seen.browser
  }
  let gzipped = 0
  for (const url of scripts) gzipped += gzipSync(Buffer.from(await (await fetch(url)).arrayBuffer()), { level: 9 }).length
  return { cold, warm, scripts: scripts.length, gzipped_kb: gzipped / 1000, browser }
}

// ready opens the page on its list.
async function ready(context, query = '') {
  const page = await context.newPage()
  await page.goto(address + query)
  await page.locator(`${list} [role="listitem"]`).nth(5).waitFor({ timeout: patience })
  return page
}

// Threads are told apart by their number, which each of their messages holds ("Message 3 of case 4711: …").
async function openByKey() {
  return withBrowser(async (context) => {
    const page = await ready(context)
    await page.evaluate((selector) => {
      const shown = () =>
        [...document.querySelectorAll(`${selector} [role="article"], ${selector} article`)].at(-1)?.textContent?.match(/of case (\d+)/)?.[1]
      window.addEventListener(
        'keydown',
        (e) => {
          if (e.key !== 'j') return
          const before = shown()
          const began = e.timeStamp
          window.opened = undefined
          const watch = new MutationObserver(() => {
            const now = shown()
            if (now === undefined || now === before) return
            watch.disconnect()
            requestAnimationFrame(() => requestAnimationFrame(() => (window.opened = performance.now() - began)))
          })
          watch.observe(document.body, { subtree: true, childList: true, characterData: true })
        },
        { capture: true },
      )
    }, log)
    const took = []
    for (let n = 0; n <= task.tries; n++) {
      await page.keyboard.press('j')
      const ms = await (await page.waitForFunction(() => window.opened, undefined, { timeout: patience })).jsonValue()
      if (n > 0) took.push(ms) // the first one also fetches what only a conversation needs
      await page.waitForTimeout(250) // a person reads
    }
    return { took }
  })
}

async function post(event) {
  const answer = await fetch(task.webhook, {
    method: 'POST',
    headers: { 'X-API-Key': task.key, 'Content-Type': 'application/json' },
    body: JSON.stringify(event),
  })
  const answered = performance.timeOrigin + performance.now()
  if (answer.status !== 202) throw new Error(`the webhook answered ${answer.status}: ${await answer.text()}`)
  return { answered, ...(await answer.json()) }
}

async function live() {
  return withBrowser(async (context) => {
    const { thread_id } = await post({ event_id: 'live', thread_id: 'live', title: 'Live', text: 'It begins' })
    const page = await ready(context)
    await page.goto(`${address}/t/${thread_id}`)
    await page.locator(log).getByText('It begins').waitFor({ timeout: patience })
    // Notes when each mark is first painted, in the conversation and in the list.
    await page.evaluate(
      ([listed, shown]) => {
        window.marks = { took: {}, rows: {} }
        const note = (into, root) => {
          const mark = document.querySelector(root)?.textContent?.match(/.*mark-(\d+)-/s)?.[1]
          if (mark === undefined || into[mark] !== undefined) return
          into[mark] = 0
          requestAnimationFrame(() => requestAnimationFrame(() => (into[mark] = performance.timeOrigin + performance.now())))
        }
        new MutationObserver(() => {
          note(window.marks.took, shown)
          note(window.marks.rows, listed)
        }).observe(document.body, { subtree: true, childList: true, characterData: true })
      },
      [`${list} [aria-current="true"]`, log],
    )
    const took = []
    const rows = []
    for (let n = 0; n < task.tries; n++) {
      const { answered } = await post({ event_id: `live_${n}`, thread_id: 'live', text: `mark-${n}-` })
      const at = await (
        await page.waitForFunction((m) => window.marks.took[m] && window.marks.rows[m] && [window.marks.took[m], window.marks.rows[m]], n, {
          timeout: patience,
        })
      ).jsonValue()
      took.push(at[0] - answered)
      rows.push(at[1] - answered)
      // Not in step with whoever polls.
      await page.waitForTimeout(100 + ((n * 137) % 500))
    }
    return { took, rows }
  })
}

async function scroll() {
  return withBrowser(async (context) => {
    let listed = 0
    let more = true
    const page = await context.newPage()
    page.on('response', async (response) => {
      if (!/\/inbox\?/.test(response.url()) || !response.ok()) return
      try {
        const body = await response.json()
        listed += body.data.length
        more = body.pagination?.has_more ?? false
      } catch {
        // the page left it
      }
    })
    const cdp = await context.newCDPSession(page)
    await cdp.send('Performance.enable')
    const heap = async () => {
      await cdp.send('HeapProfiler.collectGarbage')
      const { metrics } = await cdp.send('Performance.getMetrics')
      const metric = (name) => metrics.find((m) => m.name === name)?.value ?? 0
      return { mb: metric('JSHeapUsedSize') / 1e6, nodes: metric('Nodes') }
    }
    await page.goto(`${address}?status=open,pending,resolved,archived`)
    const rows = page.locator(`${list} [role="listitem"]`)
    await rows.nth(5).waitFor({ timeout: patience })
    await page.evaluate(() => {
      window.tasks = []
      new PerformanceObserver((l) => window.tasks.push(...l.getEntries().map((e) => e.duration))).observe({ type: 'longtask' })
    })
    const box = await page.locator(list).boundingBox()
    const began = Date.now()
    let early
    let idle = 0
    while (listed < task.threads && idle < 20) {
      const before = listed
      await cdp.send('Input.synthesizeScrollGesture', {
        x: box.x + box.width / 2,
        y: viewport.height / 2,
        yDistance: -15_000,
        speed: 30_000,
        gestureSourceType: 'mouse',
      })
      idle = listed === before && !more ? idle + 1 : 0
      if (!early && listed >= task.threads / 10) {
        const tasks = await page.evaluate(() => window.tasks.length)
        early = await heap()
        await page.evaluate((n) => (window.tasks.length = n), tasks) // the collection that was asked for is nobody's
      }
    }
    const seconds = (Date.now() - began) / 1000
    const tasks = await page.evaluate(() => window.tasks)
    const late = await heap()
    return {
      scrolled: listed,
      seconds,
      longest: Math.max(0, ...tasks),
      long: tasks.length,
      early_mb: (early ?? late).mb,
      late_mb: late.mb,
      nodes: late.nodes,
    }
  })
}

const measures = { first, open: openByKey, live, scroll }
const measure = measures[task.measure]
if (!measure) throw new Error(`no measure ${task.measure}`)
process.stdout.write(JSON.stringify(await measure()) + '\n')
