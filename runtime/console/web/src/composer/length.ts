/** What a reply or note may have, in bytes of UTF-8. */
export const mostBytes = 65_536
/** Telegram takes so many UTF-16 units in one message. */
export const telegramUnits = 4096

export const bytesOf = (text: string) => new TextEncoder().encode(text).length

export interface Length {
  /** Too long to be sent at all. */
  tooLong: boolean
  /** Messages that it becomes, at least. */
  parts: number
  /** Worth telling. */
  near: boolean
}

export function lengthOf(text: string, splits: boolean): Length {
  const tooLong = text.length > mostBytes / 3 && bytesOf(text) > mostBytes // a unit has three bytes at most
  const parts = splits ? Math.max(1, Math.ceil(text.length / telegramUnits)) : 1
  return { tooLong, parts, near: tooLong || parts > 1 || (splits && text.length > telegramUnits * 0.9) }
}
