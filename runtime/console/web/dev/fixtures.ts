import type { Plugin } from 'vite'

/** Answers the API from invented data, so that the page can be worked on without a backend. */
export function fixtures(): Plugin {
  return { name: 'fixtures' }
}
