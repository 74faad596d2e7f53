const mac = /Mac|iPhone|iPad/.test(navigator.platform)
const names: Record<string, string> = mac
  ? { mod: '⌘', shift: '⇧', enter: '↵', escape: 'esc' }
  : { mod: 'Ctrl', shift: '⇧', enter: '↵', escape: 'Esc' }

/** Keys as the reader's keyboard has them: "mod+k", or "g i" for one after the other. */
export const keyParts = (keys: string) =>
  keys.split(/[ +]/).map((k) => names[k] ?? (k.length === 1 ? k.toUpperCase() : k))

export function Kbd({ keys }: { keys: string }) {
  return (
    <span className="ui-kbd" aria-hidden="true">
      {keyParts(keys).map((k, i) => (
        <kbd key={i}>{k}</kbd>
      ))}
    </span>
  )
}
