import { useQuery } from '@tanstack/react-query'
import { getConfig } from '@/app/session'

/** Whether the page is served by `socialops dev`. */
export const useDevMode = (): boolean =>
  useQuery({ queryKey: ['config'], queryFn: getConfig, staleTime: Infinity }).data?.mode === 'dev'
