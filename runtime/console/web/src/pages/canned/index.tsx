import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { MessageSquareText, Pencil, Plus, Search, Trash2 } from 'lucide-react'
import { useMemo, useState } from 'react'
import { api } from '@/api/client'
import { q } from '@/api/queries'
import type { CannedText } from '@/api/types'
import type { PageProps } from '@/app/page'
import { t } from '@/i18n'
import { Button, IconButton } from '@/ui/button'
import { ConfirmDialog } from '@/ui/dialog'
import { Input } from '@/ui/field'
import { PageFrame } from '@/ui/page-frame'
import { CopyButton, EmptyState, ErrorNote } from '@/ui/states'
import { toastError } from '@/ui/toast'
import '../kit/pages.css'
import { Rich } from '../kit/rich'
import { CardSkeletons } from '../kit/skeletons'
import { Time } from '../kit/time'
import { useUrl } from '../kit/url'
import './canned.css'
import { EditText } from './edit'
import { find } from './texts'

export default function CannedPage({ alias, manage }: PageProps) {
  const texts = useQuery(q.canned(alias))
  const [url, setUrl] = useUrl()
  const search = url.get('q') ?? ''
  const found = useMemo(() => find(texts.data ?? [], search), [texts.data, search])
  const [editing, setEditing] = useState<CannedText | 'new'>()
  const [deleting, setDeleting] = useState<CannedText>()
  const remove = useDelete(alias)
  const reason = manage ? undefined : t('readonly.reason')
  const add = (
    <Button variant="primary" icon={<Plus aria-hidden="true" />} reason={reason} onClick={() => setEditing('new')}>
      {t('canned.new')}
    </Button>
  )
  return (
    <PageFrame title={t('page.canned')} actions={add}>
      {texts.isPending ? (
        <CardSkeletons n={3} />
      ) : texts.isError ? (
        <ErrorNote error={texts.error} onRetry={() => void texts.refetch()} />
      ) : texts.data.length === 0 ? (
        <EmptyState icon={<MessageSquareText aria-hidden="true" />} title={t('canned.empty')} actions={add}>
          <p>{t('canned.empty.text')}</p>
        </EmptyState>
      ) : (
        <>
          <div className="search-line">
            <Search size={15} aria-hidden="true" />
            <Input
              type="search"
              role="searchbox"
              aria-label={t('canned.search')}
              placeholder={t('canned.search')}
              value={search}
              onChange={(e) => setUrl({ q: e.target.value })}
            />
            <span className="ui-hint" role="status">
              {search ? t('canned.found', { n: found.length }) : ''}
            </span>
          </div>
          {found.length === 0 ? (
            <EmptyState
              icon={<Search aria-hidden="true" />}
              title={t('canned.noMatch')}
              actions={<Button onClick={() => setUrl({ q: undefined })}>{t('canned.clear')}</Button>}
            />
          ) : (
            <ul className="cards canned-cards" aria-label={t('page.canned')}>
              {found.map((text) => (
                <li key={text.id} className="ui-card" aria-labelledby={`canned-${text.id}`}>
                  <div className="row">
                    <h2 className="grow truncate" id={`canned-${text.id}`}>
                      {text.name}
                    </h2>
                    <CopyButton text={text.text} label={t('canned.copy', { name: text.name })} />
                    <IconButton
                      label={t('canned.edit.label', { name: text.name })}
                      icon={<Pencil />}
                      size="small"
                      reason={reason}
                      onClick={() => setEditing(text)}
                    />
                    <IconButton
                      label={t('canned.delete.label', { name: text.name })}
                      icon={<Trash2 />}
                      size="small"
                      reason={reason}
                      onClick={() => setDeleting(text)}
                    />
                  </div>
                  <p className="canned-words">{text.text}</p>
                  <p className="ui-hint">
                    <Rich text={t('canned.updated')} parts={{ time: <Time at={text.updated_at} form="date" /> }} />
                  </p>
                </li>
              ))}
            </ul>
          )}
        </>
      )}
      {editing && (
        <EditText
          alias={alias}
          old={editing === 'new' ? undefined : editing}
          all={texts.data ?? []}
          onClose={() => setEditing(undefined)}
        />
      )}
      {deleting && (
        <ConfirmDialog
          open
          onClose={() => setDeleting(undefined)}
          title={t('canned.delete.title', { name: deleting.name })}
          text={t('canned.delete.text')}
          confirm={t('canned.delete')}
          danger
          onConfirm={async () => remove.mutate(deleting)}
        />
      )}
    </PageFrame>
  )
}

/** Gone at once; back with the reason when it was not deleted. */
function useDelete(alias: string) {
  const client = useQueryClient()
  const { queryKey } = q.canned(alias)
  return useMutation({
    mutationFn: (text: CannedText) => api.delete(`/${alias}/canned/${text.id}`),
    onMutate: async (text) => {
      await client.cancelQueries({ queryKey })
      client.setQueryData(queryKey, (old) => old?.filter((c) => c.id !== text.id))
    },
    onError: (error, text) => {
      client.setQueryData(queryKey, (old) => [...(old ?? []).filter((c) => c.id !== text.id), text])
      toastError(t('canned.delete.failed', { name: text.name }), error)
    },
    onSettled: () => void client.invalidateQueries({ queryKey }),
  })
}
