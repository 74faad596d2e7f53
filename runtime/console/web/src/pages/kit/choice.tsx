import { useId, type ReactNode } from 'react'

export interface Choice {
  value: string
  label: string
  /** Under the label, and read with it. */
  text?: ReactNode
  icon?: ReactNode
  /** Why it can't be chosen. */
  reason?: string
}

interface ChoicesProps {
  legend: string
  value: string
  onChange(value: string): void
  choices: Choice[]
  /** cards: one below the other with their texts; bar: side by side. */
  look?: 'cards' | 'bar'
  hideLegend?: boolean
  error?: string
  hint?: ReactNode
}

/** Radio buttons, as cards or as a bar of segments: the browser's own, so that every key does what it does elsewhere. */
export function Choices({ legend, value, onChange, choices, look = 'cards', hideLegend, error, hint }: ChoicesProps) {
  const id = useId()
  return (
    <fieldset
      className="choices"
      data-look={look}
      aria-describedby={error ? `${id}e` : undefined}
      aria-invalid={error ? true : undefined}
    >
      <legend className={hideLegend ? 'sr-only' : 'ui-label'}>{legend}</legend>
      <div className="choices-list">
        {choices.map((choice) => {
          const more = choice.reason ?? choice.text
          const key = `${id}-${choice.value}`
          return (
            <label key={choice.value} className="choice" data-disabled={choice.reason ? true : undefined}>
              <input
                type="radio"
                name={id}
                value={choice.value}
                checked={choice.value === value}
                disabled={choice.reason !== undefined}
                onChange={() => onChange(choice.value)}
                aria-labelledby={`${key}l`}
                aria-describedby={more ? `${key}t` : undefined}
              />
              {choice.icon}
              <span className="choice-words">
                <span id={`${key}l`} className="choice-label">
                  {choice.label}
                </span>
                {more && (
                  <span id={`${key}t`} className="ui-hint">
                    {more}
                  </span>
                )}
              </span>
            </label>
          )
        })}
      </div>
      {error && (
        <span className="ui-error" id={`${id}e`}>
          {error}
        </span>
      )}
      {hint && <span className="ui-hint">{hint}</span>}
    </fieldset>
  )
}

interface TickProps {
  label: string
  text?: ReactNode
  checked: boolean
  onChange(checked: boolean): void
  reason?: string
}

export function Tick({ label, text, checked, onChange, reason }: TickProps) {
  const id = useId()
  return (
    <label className="choice" data-disabled={reason ? true : undefined}>
      <input
        type="checkbox"
        checked={checked}
        disabled={reason !== undefined}
        onChange={(e) => onChange(e.target.checked)}
        aria-labelledby={`${id}l`}
        aria-describedby={text || reason ? `${id}t` : undefined}
      />
      <span className="choice-words">
        <span id={`${id}l`} className="choice-label">
          {label}
        </span>
        {(text || reason) && (
          <span id={`${id}t`} className="ui-hint">
            {reason ?? text}
          </span>
        )}
      </span>
    </label>
  )
}
