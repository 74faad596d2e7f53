import { Search, X } from 'lucide-react'
import { useEffect, useRef, useState, type Ref } from 'react'
import { t } from '@/i18n'

interface Props {
  value: string
  onChange(value: string): void
  /** Escape in an empty box, or Enter: on to what was found. */
  onLeave(): void
  ref: Ref<HTMLInputElement>
}

const pause = 180 // ms without a key before it is asked for

/** Words to look for; they count when typing pauses. */
export function SearchBox({ value, onChange, onLeave, ref }: Props) {
  const [text, setText] = useState(value)
  const [seen, setSeen] = useState(value)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  if (value !== seen) {
    // the address changed: by this box, or by another way, such as going back
    setSeen(value)
    if (value !== text.trim()) setText(value)
  }
  const tell = (v: string, now: boolean) => {
    setText(v)
    clearTimeout(timer.current)
    const send = () => v.trim() !== value && onChange(v.trim())
    if (now) send()
    else timer.current = setTimeout(send, pause)
  }
  return (
    <div className="thread-search">
      <Search size={14} aria-hidden="true" />
      <input
        ref={ref}
        type="search"
        aria-label={t('list.search')}
        placeholder={t('list.search')}
        autoComplete="off"
        spellCheck={false}
        maxLength={200}
        value={text}
        onChange={(e) => tell(e.target.value, e.target.value === '')}
        onKeyDown={(e) => {
          if (e.key === 'Enter') {
            tell(text, true)
            onLeave()
          } else if (e.key === 'Escape') {
            e.preventDefault()
            if (text) tell('', true)
            else onLeave()
          }
        }}
      />
      {text ? (
        <button
          type="button"
          className="thread-search-clear"
          aria-label={t('list.search.clear')}
          onClick={() => tell('', true)}
        >
          <X size={13} />
        </button>
      ) : (
        <kbd className="thread-search-key" aria-hidden="true">
          /
        </kbd>
      )}
    </div>
  )
}
