/** JSON with line breaks and indents. It is never parsed into values, so that long numbers stay as they came. */
export function indentJSON(text: string): string {
  try {
    JSON.parse(text)
  } catch {
    return text
  }
  let out = ''
  let depth = 0
  const line = () => '\n' + '  '.repeat(depth)
  // strings whole, brackets with what follows when they are empty, and anything else up to the next mark
  for (const [part] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[{]\s*[\]}]|[[\]{},:]|[^\s[\]{},:"]+/g)) {
    if (part === '{' || part === '[') {
      depth++
      out += part + line()
    } else if (part === '}' || part === ']') {
      depth--
      out += line() + part
    } else if (part === ',') out += ',' + line()
    else if (part === ':') out += ': '
    else out += /^[[{]/.test(part) ? part.replace(/\s/g, '') : part
  }
  return out
}
