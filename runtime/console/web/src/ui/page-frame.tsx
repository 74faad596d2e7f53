import { Menu as MenuIcon } from 'lucide-react'
import type { ReactNode } from 'react'
import { openSidebar } from '@/app/sidebar-state'
import { t } from '@/i18n'
import { IconButton } from './button'

/** The frame of every page beside the inbox: heading with actions, and a body that scrolls. */
export function PageFrame({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) {
  return (
    <main className="ui-page" id="main">
      <header className="ui-page-head">
        <IconButton className="only-narrow" label={t('nav.open')} icon={<MenuIcon />} onClick={openSidebar} />
        <h1>{title}</h1>
        {actions && <div className="ui-page-actions">{actions}</div>}
      </header>
      <div className="ui-page-body">
        <div className="ui-page-inner">{children}</div>
      </div>
    </main>
  )
}
