import { ApiError } from '@/api/client'

export interface Placed {
  /** By field: the API's words. */
  fields: Record<string, string>
  /** What has no field of the form to stand beside. */
  note?: unknown
}

const told = /^body\.([\w.]+): ([\s\S]+)$/

/** Puts the API's words beside the fields of a form that they are about. */
export function place(error: unknown, known: readonly string[]): Placed {
  if (!(error instanceof ApiError)) return { fields: {}, note: error }
  const fields: Record<string, string> = {}
  let whole = true
  for (const { location, message } of details(error)) {
    const name = location.replace(/^body\./, '')
    if (known.includes(name)) fields[name] = fields[name] ? `${fields[name]}; ${message}` : message
    else whole = false
  }
  const [, name = '', message = ''] = told.exec(error.message) ?? []
  if (!Object.keys(fields).length && known.includes(name)) return { fields: { [name]: message } }
  return Object.keys(fields).length && whole ? { fields } : { fields, note: error }
}

function details(error: ApiError): { location: string; message: string }[] {
  if (!Array.isArray(error.details)) return []
  return error.details.filter(
    (d): d is { location: string; message: string } =>
      typeof d === 'object' && d !== null && typeof d.location === 'string' && typeof d.message === 'string',
  )
}
