import { existsSync } from 'node:fs'

const found = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path))

// The distribution's Chromium, which Playwright downloads nothing for. --no-sandbox: tests may run as root, where there is none.
// The others keep the browser from calling its maker.
export const launchOptions = {
  executablePath: process.env.CHROMIUM ?? found ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
}

export const browser = {
  browserName: 'chromium',
  launchOptions,
  locale: 'en-GB',
  timezoneId: 'Europe/London',
  viewport: { width: 1440, height: 900 },
  trace: 'retain-on-failure',
  screenshot: 'only-on-failure',
  actionTimeout: 10_000,
} as const
