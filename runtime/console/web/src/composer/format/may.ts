import type { ParseMode } from '@/api/types'

const marks: Record<ParseMode, RegExp | undefined> = {
  '': undefined,
  HTML: /[<&]/,
  Markdown: /[_*`[\\]/,
  MarkdownV2: /[\\_*~`>#+\-=|{}.!()[\]]/,
}

/** Whether a text may hold markup at all: cheap, so that the parsers are loaded only when they are needed. */
export const mayFormat = (text: string, mode: ParseMode): boolean => marks[mode]?.test(text) ?? false
