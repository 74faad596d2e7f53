import { defineConfig } from '@playwright/test'
import { browser } from './support/browser.ts'

// Pictures of the main views, in ../screenshots: `npm run screenshots`.
export default defineConfig({
  testDir: 'screenshots',
  outputDir: '../test-results',
  workers: 1,
  timeout: 120_000,
  reporter: 'list',
  use: { ...browser, trace: 'off', screenshot: 'off', locale: 'en-GB', contextOptions: { reducedMotion: 'reduce' } },
})
