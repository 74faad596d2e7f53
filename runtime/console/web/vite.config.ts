import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'
import { fixtures } from './dev/fixtures.ts'

// CONSOLE names a running `socialops dev`; without it `npm run dev` answers from invented data.
const backend = process.env.CONSOLE

export default defineConfig({
  plugins: [react(), ...(backend ? [] : [fixtures()])],
  resolve: { alias: { '@': fileURLToPath(new URL('src', import.meta.url)) } },
  server: backend
    ? { proxy: { '/console': { target: backend, changeOrigin: true }, '/v1': { target: backend, changeOrigin: true } } }
    : {},
  build: {
    target: ['chrome111', 'firefox114', 'safari16.4'],
    assetsInlineLimit: 0, // data: addresses would widen the content security policy
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    sourcemap: false,
    rolldownOptions: {
      output: {
        // what the first view needs comes in two files rather than twenty; libraries change less often than the page
        codeSplitting: {
          groups: [
            { name: 'libraries', test: /node_modules/, tags: ['$initial'], priority: 1 },
            { name: 'page', tags: ['$initial'] },
          ],
        },
      },
    },
  },
  test: { include: ['src/**/*.test.{ts,tsx}'], environment: 'node' },
})
