import {
  Download,
  ExternalLink,
  File as FileIcon,
  FileWarning,
  Image as ImageIcon,
  Music,
  RotateCw,
  Video,
} from 'lucide-react'
import { useState } from 'react'
import type { Attachment } from '@/api/types'
import { t } from '@/i18n'
import { fmt } from '@/i18n/format'
import { reasonOf } from '@/ui/states'
import { toastError } from '@/ui/toast'
import { download, isPicture, usePicture } from './files'
import { safeURL } from './links'

export function Attachments({ alias, list }: { alias: string; list: Attachment[] }) {
  return (
    <ul className="files">
      {list.map((a) => (
        <li key={a.id}>{isPicture(a) ? <Picture alias={alias} a={a} /> : <File alias={alias} a={a} />}</li>
      ))}
    </ul>
  )
}

const nameOf = (a: Attachment) => a.name || t('file.unnamed')

function Picture({ alias, a }: { alias: string; a: Attachment }) {
  const { url, error, retry } = usePicture(alias, a.id, true)
  const [big, setBig] = useState(false)
  const name = nameOf(a)
  if (error !== undefined)
    return (
      <div className="file" data-state="failed">
        <ImageIcon aria-hidden="true" />
        <span className="file-text">
          <span className="truncate">{name}</span>
          <span className="file-more">{t('file.notLoaded', { reason: reasonOf(error) })}</span>
        </span>
        <button type="button" className="file-again" onClick={retry}>
          <RotateCw size={13} aria-hidden="true" /> {t('action.retry')}
        </button>
      </div>
    )
  return (
    <button
      type="button"
      className="picture"
      data-big={big || undefined}
      aria-label={t(big ? 'file.smaller' : 'file.bigger', { name })}
      onClick={() => setBig(!big)}
    >
      {url ? (
        <img src={url} alt={t('file.image', { name: a.name })} draggable={false} />
      ) : (
        <span className="ui-skeleton" />
      )}
    </button>
  )
}

const icons: Record<string, typeof FileIcon> = {
  image: ImageIcon,
  photo: ImageIcon,
  video: Video,
  audio: Music,
  voice: Music,
}

function File({ alias, a }: { alias: string; a: Attachment }) {
  const [busy, setBusy] = useState(false)
  const name = nameOf(a)
  const more = [a.mime_type.split(';')[0], a.size > 0 && fmt.bytes(a.size)].filter(Boolean).join(' · ')
  const Icon =
    a.state === 'failed' ? FileWarning : (icons[a.kind] ?? icons[a.mime_type.split('/')[0] ?? ''] ?? FileIcon)
  const inside = (hint: string) => (
    <>
      <Icon aria-hidden="true" />
      <span className="file-text">
        <span className="truncate">{name}</span>
        <span className="file-more">{hint}</span>
      </span>
    </>
  )
  const outside = a.state === 'linked' ? safeURL(a.url) : undefined
  if (outside)
    return (
      <a className="file" href={outside} target="_blank" rel="noopener noreferrer nofollow">
        {inside(more)}
        <ExternalLink className="file-go" aria-hidden="true" />
      </a>
    )
  if (a.state === 'failed' || a.state === 'linked')
    return (
      <div className="file" data-state="failed">
        {inside(a.error ? t('file.failed', { reason: a.error }) : t('file.failed.plain'))}
      </div>
    )
  return (
    <button
      type="button"
      className="file"
      title={t('file.download', { name })}
      disabled={busy}
      onClick={() => {
        setBusy(true)
        download(alias, a, t('file.unnamed'))
          .catch((e: unknown) => toastError(t('file.notLoaded.title', { name }), e))
          .finally(() => setBusy(false))
      }}
    >
      {inside(
        busy ? t('file.loading') : a.state === 'remote' ? [more, t('file.remote')].filter(Boolean).join(' · ') : more,
      )}
      <Download className="file-go" aria-hidden="true" />
    </button>
  )
}
