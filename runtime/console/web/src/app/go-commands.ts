import { t } from '@/i18n'
import { useCommands } from './commands'
import { href, type PageName } from './route'
import { navigate } from './router'

/** Going to the parts of an alias: g and a letter. */
export function useGoCommands(alias: string | undefined) {
  const page = (name: PageName, key: string) => ({
    id: 'go.' + name,
    group: 'go' as const,
    title: t(`command.go.${name}`),
    keys: 'g ' + key,
    run: () => alias && navigate(href.page(alias, name)),
  })
  useCommands(
    alias
      ? [
          {
            id: 'go.inbox',
            group: 'go',
            title: t('command.go.inbox'),
            keys: 'g i',
            run: () => navigate(href.inbox(alias)),
          },
          page('channels', 'c'),
          page('keys', 'k'),
          page('usage', 'u'),
          page('audit', 'a'),
          page('canned', 't'),
        ]
      : [],
  )
}
