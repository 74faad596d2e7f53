import '@/ui/tokens.css'
import '@/ui/ui.css'
import './theme'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { preferredLanguage, setLanguage } from '@/i18n'
import { App } from './app'

async function start() {
  await setLanguage(preferredLanguage(), false)
  createRoot(document.getElementById('root') as HTMLElement).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
}

void start()
