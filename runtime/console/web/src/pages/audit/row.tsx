import {
  Bot,
  CircleAlert,
  CircleCheck,
  Coins,
  Eye,
  ListFilter,
  KeyRound,
  MessageSquare,
  Plug,
  Trash2,
  type LucideIcon,
} from 'lucide-react'
import type { ReactNode } from 'react'
import { href } from '@/app/route'
import { Link } from '@/app/router'
import { t } from '@/i18n'
import { fmt } from '@/i18n/format'
import { IconButton } from '@/ui/button'
import { Avatar } from '@/ui/marks'
import { Rich } from '../kit/rich'
import { Time } from '../kit/time'
import type { Deed } from './fold'
import { sentence, type Names, type Part, type Tone } from './sentence'

const icons: Record<Tone, LucideIcon> = {
  plain: MessageSquare,
  good: CircleCheck,
  bad: CircleAlert,
  money: Coins,
  key: KeyRound,
  channel: Plug,
  look: Eye,
  gone: Trash2,
}

interface RowProps {
  alias: string
  entry: Deed
  names: Names
  onThread?(id: string): void
}

export function TrailRow({ alias, entry, names, onThread }: RowProps) {
  const { key, parts, remark, tone } = sentence(entry, names)
  const nodes: Record<string, ReactNode> = {}
  for (const [name, part] of Object.entries(parts))
    nodes[name] = <PartView alias={alias} part={part} strong={name === 'actor'} />
  const Icon = entry.actor.startsWith('agent:') || tone !== 'plain' ? icons[tone] : Bot
  return (
    <li className="trail-row" data-tone={tone}>
      {entry.actor.startsWith('agent:') ? (
        <span className="trail-who">
          <Avatar name={entry.actor_name || '?'} id={entry.actor} size={26} />
          {tone !== 'plain' && <Icon className="trail-badge" aria-hidden="true" />}
        </span>
      ) : (
        <span className="trail-icon">
          <Icon aria-hidden="true" />
        </span>
      )}
      <div className="grow">
        <p>
          <Rich text={t(key)} parts={nodes} />
        </p>
        {remark && <p className="trail-remark">{remark}</p>}
      </div>
      {onThread && entry.thread_id && (
        <IconButton
          className="trail-only"
          size="small"
          label={t('audit.onlyThread')}
          icon={<ListFilter aria-hidden="true" />}
          onClick={() => onThread(entry.thread_id as string)}
        />
      )}
      <span className="trail-time">
        <Time at={entry.at} form="time" />
      </span>
    </li>
  )
}

function PartView({ alias, part, strong }: { alias: string; part: Part; strong: boolean }) {
  switch (part.kind) {
    case 'name':
      return strong ? <strong>{part.text}</strong> : <b className="trail-name">{part.text}</b>
    case 'word': {
      const text = t(part.key, part.names)
      return strong ? <strong>{text}</strong> : text
    }
    case 'words':
      return fmt.list([...part.keys.map((key) => t(key)), ...part.rest])
    case 'thread':
      return (
        <Link to={href.thread(alias, part.id)}>
          {part.subject ? t('audit.named', { name: part.subject }) : t('audit.thread')}
        </Link>
      )
  }
}
