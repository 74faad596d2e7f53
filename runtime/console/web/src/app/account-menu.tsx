import { Eye, Languages, LogOut, Monitor, Moon, Sun, UserRound } from 'lucide-react'
import type { ReactElement } from 'react'
import type { Config, Me } from '@/api/types'
import { language, languages, setLanguage, t } from '@/i18n'
import { Menu, MenuGroup, MenuItem, MenuSeparator } from '@/ui/menu'
import { toastError } from '@/ui/toast'
import { signOut, switchUser } from './session'
import { useStore } from './store'
import { setTheme, theme } from './theme'

const become = (subject: string, permissions?: string[]) =>
  void switchUser(subject, permissions).catch((e: unknown) => toastError(t('account.switchFailed'), e))

export default function AccountMenu({ me, config, trigger }: { me?: Me; config?: Config; trigger: ReactElement }) {
  const chosen = useStore(theme)
  const dev = config?.mode === 'dev'
  const owners = config?.owners ?? []
  return (
    <Menu trigger={trigger} side="top" defaultOpen container={document.querySelector<HTMLElement>('.side')}>
      <MenuGroup label={t('account.theme')}>
        <MenuItem icon={<Sun />} checked={chosen === 'light'} onClick={() => setTheme('light')}>
          {t('theme.light')}
        </MenuItem>
        <MenuItem icon={<Moon />} checked={chosen === 'dark'} onClick={() => setTheme('dark')}>
          {t('theme.dark')}
        </MenuItem>
        <MenuItem icon={<Monitor />} checked={chosen === 'system'} onClick={() => setTheme('system')}>
          {t('theme.system')}
        </MenuItem>
      </MenuGroup>
      <MenuSeparator />
      <MenuGroup label={t('account.language')}>
        {Object.entries(languages).map(([tag, l]) => (
          <MenuItem key={tag} icon={<Languages />} checked={language() === tag} onClick={() => void setLanguage(tag)}>
            {l.name}
          </MenuItem>
        ))}
      </MenuGroup>
      <MenuSeparator />
      {dev && me && (
        <MenuGroup label={t('account.devAs')}>
          {[me.subject, ...owners.filter((o) => o !== me.subject)].slice(0, 8).map((o) => (
            <MenuItem
              key={o}
              icon={<UserRound />}
              checked={o === me.subject && me.permissions.includes('service:manage')}
              onClick={() => become(o)}
            >
              {o}
            </MenuItem>
          ))}
          <MenuItem
            icon={<Eye />}
            checked={!me.permissions.includes('service:manage')}
            onClick={() => become(me.subject, ['service:read'])}
          >
            {t('account.readonlyAs', { name: me.subject })}
          </MenuItem>
        </MenuGroup>
      )}
      {!dev && (
        <MenuItem icon={<LogOut />} onClick={() => void signOut()}>
          {t('account.signOut')}
        </MenuItem>
      )}
    </Menu>
  )
}
