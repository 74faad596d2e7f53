import { createStore } from './store'

export type Theme = 'system' | 'light' | 'dark'

const key = 'socialops.theme'
const media = matchMedia('(prefers-color-scheme: dark)')
const saved = localStorage.getItem(key)

export const theme = createStore<Theme>(saved === 'light' || saved === 'dark' ? saved : 'system')

function apply() {
  const chosen = theme.get()
  const root = document.documentElement
  if (chosen === 'system') delete root.dataset.theme
  else root.dataset.theme = chosen
  root.toggleAttribute('data-dark', chosen === 'dark' || (chosen === 'system' && media.matches))
}

export function setTheme(next: Theme) {
  if (next === 'system') localStorage.removeItem(key)
  else localStorage.setItem(key, next)
  theme.set(next)
}

theme.subscribe(apply)
media.addEventListener('change', apply)
apply()
