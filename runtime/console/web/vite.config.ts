import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { build, type Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

// The running `socialops dev` whose console `npm run dev` works on.
const backend = { target: process.env.CONSOLE ?? 'http://127.0.0.1:8080', changeOrigin: true }

const target = ['chrome111', 'firefox114', 'safari16.4']
const alias = { '@': fileURLToPath(new URL('src', import.meta.url)) }

// app/early.ts goes into the document itself: it runs before anything else is asked for.
const early: Plugin = {
  name: 'early',
  apply: 'build',
  transformIndexHtml: {
    order: 'post',
    async handler(html) {
      const input = fileURLToPath(new URL('src/app/early.ts', import.meta.url))
      const made = await build({
        configFile: false,
        logLevel: 'warn',
        resolve: { alias },
        build: { write: false, target, rolldownOptions: { input, output: { format: 'iife' } } },
      })
      const [chunk] = 'output' in made ? made.output : []
      if (chunk?.type !== 'chunk' || chunk.code.includes('</'))
        throw new Error('early.ts made no script that a document can hold')
      const script = `<script id="early">${chunk.code.trim()}</script>`
      return html.replace('<script type="module"', (first) => script + '\n    ' + first)
    },
  },
}

export default defineConfig({
  plugins: [react(), early],
  resolve: { alias },
  server: { proxy: { '/console': backend, '/v1': backend } },
  build: {
    target,
    assetsInlineLimit: 0, // data: addresses would widen the content security policy
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    sourcemap: false,
    rolldownOptions: {
      output: {
        // what the first view needs comes in a few files rather than twenty; libraries change less often than the page
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
