import { useMutation, useQueryClient } from '@tanstack/react-query'
import { api } from '@/api/client'
import { q } from '@/api/queries'
import type { Channel } from '@/api/types'
import { t } from '@/i18n'
import { toastError } from '@/ui/toast'

export interface NewChannel {
  provider: string
  connected_account_id?: string
  channel_name: string
  external_channel_id?: string
  parse_mode?: string
}

export type ChannelPatch = Partial<Pick<Channel, 'status' | 'channel_name' | 'external_channel_id' | 'parse_mode'>>

export function useChannelCalls(alias: string) {
  const client = useQueryClient()
  const { queryKey } = q.channels(alias)

  const create = useMutation({
    mutationFn: (channel: NewChannel) => api.post<Channel>(`/${alias}/channels`, channel),
    onSuccess: async (made) => {
      await client.cancelQueries({ queryKey, exact: true })
      client.setQueryData(queryKey, (old) => [...(old ?? []).filter((c) => c.id !== made.id), made])
      void client.invalidateQueries({ queryKey })
    },
  })

  // What was changed shows at once; the channel is "working" until its conditions tell more.
  const change = useMutation({
    mutationFn: ({ id, patch }: { id: string; patch: ChannelPatch }) =>
      api.patch<Channel>(`/${alias}/channels/${id}`, patch),
    onMutate: async ({ id, patch }) => {
      await client.cancelQueries({ queryKey, exact: true })
      const before = client.getQueryData(queryKey)?.find((c) => c.id === id)
      const health =
        patch.status === 'inactive' ? ('off' as const) : patch.status === 'active' ? ('working' as const) : undefined
      client.setQueryData(queryKey, (old) =>
        old?.map((c) => (c.id === id ? { ...c, ...patch, ...(health ? { health } : {}) } : c)),
      )
      return { before }
    },
    onSuccess: (made) => {
      client.setQueryData(queryKey, (old) => old?.map((c) => (c.id === made.id ? made : c)))
    },
    onError: (error, { id }, context) => {
      const before = context?.before
      if (before) client.setQueryData(queryKey, (old) => old?.map((c) => (c.id === id ? before : c)))
      toastError(t('channels.change.failed'), error)
    },
    onSettled: () => void client.invalidateQueries({ queryKey, exact: true }),
  })

  return { create, change }
}
