import { t } from '@/i18n'
import { Dialog } from '@/ui/dialog'
import { Kbd } from '@/ui/kbd'
import { allCommands } from './commands'

const groups = ['list', 'thread', 'go', 'app'] as const

export default function Help({ onClose }: { onClose(): void }) {
  const commands = allCommands().filter((c) => c.keys)
  return (
    <Dialog open onClose={onClose} title={t('command.help')} size="wide" toRead>
      <div className="app-help">
        {groups.map((g) => {
          const own = commands.filter((c) => c.group === g)
          return (
            own.length > 0 && (
              <div key={g} role="group" aria-label={t(`command.group.${g}`)}>
                <h3>{t(`command.group.${g}`)}</h3>
                <dl>
                  {own.map((c) => (
                    <div key={c.id}>
                      <dt>{c.title}</dt>
                      <dd>
                        <span className="sr-only">{([] as string[]).concat(c.keys ?? []).join(', ')}</span>
                        {([] as string[])
                          .concat(c.keys ?? [])
                          .slice(0, 2)
                          .map((k) => (
                            <Kbd key={k} keys={k} />
                          ))}
                      </dd>
                    </div>
                  ))}
                </dl>
              </div>
            )
          )
        })}
      </div>
    </Dialog>
  )
}
