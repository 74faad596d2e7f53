import { TriangleAlert } from 'lucide-react'
import { Component, type ReactNode } from 'react'
import { t } from '@/i18n'
import { Button } from './button'
import { forgetFailedParts } from './lazy-part'
import { EmptyState } from './states'

/** Keeps a fault in one part of the page from taking the rest with it. Give it a key: another one tries anew. */
export class Boundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  state = { failed: false }

  static getDerivedStateFromError() {
    return { failed: true }
  }

  componentDidCatch() {
    forgetFailedParts() // it may have been one
  }

  render() {
    if (!this.state.failed) return this.props.children
    return (
      <div className="ui-boundary" role="alert">
        <EmptyState
          icon={<TriangleAlert />}
          title={t('fault.title')}
          actions={
            <>
              <Button onClick={() => this.setState({ failed: false })}>{t('action.retry')}</Button>
              <Button onClick={() => location.reload()}>{t('fault.reload')}</Button>
            </>
          }
        >
          <p>{t('fault.text')}</p>
        </EmptyState>
      </div>
    )
  }
}
