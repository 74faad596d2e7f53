/** What a webhook answered, for a reader: JSON with line breaks, anything else as it came. */
export function answerText(answer: unknown): string {
  if (typeof answer !== 'string') return JSON.stringify(answer, null, 2) ?? ''
  try {
    return JSON.stringify(JSON.parse(answer), null, 2)
  } catch {
    return answer
  }
}

/** The conversation that the event went to. */
export function threadOf(answer: unknown): string | undefined {
  let value = answer
  if (typeof value === 'string') {
    try {
      value = JSON.parse(value) as unknown
    } catch {
      return undefined
    }
  }
  const id = typeof value === 'object' && value !== null ? (value as { thread_id?: unknown }).thread_id : undefined
  return typeof id === 'string' && /^soth_[0-9a-z]+$/.test(id) ? id : undefined
}
