import { useQuery } from '@tanstack/react-query'
import { Suspense, useState } from 'react'
import { ChevronsUpDown, CircleHelp } from 'lucide-react'
import type { Me } from '@/api/types'
import { t } from '@/i18n'
import { IconButton } from '@/ui/button'
import { Avatar } from '@/ui/marks'
import { lazyPart } from '@/ui/lazy-part'
import { overlay } from './overlays'
import { getConfig } from './session'

const AccountMenu = lazyPart(() => import('./account-menu'))

/** Who is signed in. The menu is loaded when it is wanted. */
export function AccountButton({ me }: { me?: Me }) {
  const config = useQuery({ queryKey: ['config'], queryFn: getConfig, staleTime: Infinity }).data
  const [wanted, setWanted] = useState(false)
  const name = me?.name || me?.subject || ''
  const button = (
    <button
      type="button"
      className="side-account"
      aria-label={t('account.label')}
      aria-haspopup="menu"
      onClick={() => setWanted(true)}
    >
      <Avatar name={name || '?'} id={me?.subject} size={26} />
      <span className="side-account-text">
        <span className="truncate">{name}</span>
        <span className="truncate muted">
          {config?.mode === 'dev'
            ? t('account.dev')
            : me && !me.permissions.includes('service:manage')
              ? t('account.readonly')
              : t('account.signedIn')}
        </span>
      </span>
      <ChevronsUpDown size={14} aria-hidden="true" />
    </button>
  )
  return (
    <div className="side-foot">
      {wanted ? (
        <Suspense fallback={button}>
          <AccountMenu me={me} config={config} trigger={button} />
        </Suspense>
      ) : (
        button
      )}
      <IconButton label={t('command.help')} keys="?" icon={<CircleHelp />} onClick={() => overlay.set('help')} />
    </div>
  )
}
