import { useEffect, useRef } from 'react'
import { t } from '@/i18n'
import { Button } from '@/ui/button'
import { ErrorNote } from '@/ui/states'

interface MoreProps {
  query: {
    hasNextPage: boolean
    isFetchingNextPage: boolean
    isFetchNextPageError: boolean
    error: unknown
    fetchNextPage(): Promise<unknown>
  }
}

/** The end of a list that goes on: it loads the next page when it comes into view, or by its button. */
export function More({ query }: MoreProps) {
  const ref = useRef<HTMLDivElement>(null)
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query
  const ready = hasNextPage && !isFetchingNextPage && !isFetchNextPageError
  useEffect(() => {
    const element = ref.current
    if (!element || !ready) return
    const observer = new IntersectionObserver(
      (seen) => {
        if (seen.some((s) => s.isIntersecting)) void fetchNextPage()
      },
      { rootMargin: '400px' },
    )
    observer.observe(element)
    return () => observer.disconnect()
  }, [ready, fetchNextPage])
  if (isFetchNextPageError) return <ErrorNote error={query.error} onRetry={() => void fetchNextPage()} />
  if (!hasNextPage) return null
  return (
    <div className="more" ref={ref}>
      <Button disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
        {isFetchingNextPage ? t('kit.loading') : t('action.loadMore')}
      </Button>
    </div>
  )
}
