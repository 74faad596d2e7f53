import { defineConfig } from '@playwright/test'
import { browser } from './support/browser.ts'

// The whole product in a real browser: each worker runs a `socialops dev` and a Telegram simulator of its own.
export default defineConfig({
  testDir: 'tests',
  outputDir: '../test-results',
  fullyParallel: true,
  workers: 2,
  timeout: 45_000,
  expect: { timeout: 10_000 },
  forbidOnly: !!process.env.CI,
  reporter: [['list'], ['./support/tally.ts']],
  use: browser,
})
