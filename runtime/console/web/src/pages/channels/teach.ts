// What a person types or saves so that there is an account to bind: exact, with their own names in it.

export interface Teaching {
  /** kubectl commands for a cluster. */
  commands: string
  /** The same as a manifest, as `socialops dev` reads it from its folder. */
  manifest: string
  /** The file that the commands take the secret value from. */
  file: string
}

export type AccountKind = 'telegram-bot' | 'github-webhook'

const facts: Record<AccountKind, { key: string; file: string; name: string; sample: string }> = {
  'telegram-bot': { key: 'token', file: 'token.txt', name: 'bot', sample: '123456:PUT-THE-TOKEN-OF-@BotFather-HERE' },
  'github-webhook': { key: 'secret', file: 'secret.txt', name: 'github', sample: 'PUT-A-LONG-RANDOM-TEXT-HERE' },
}

export const accountKinds: Record<string, AccountKind | undefined> = {
  telegram: 'telegram-bot',
  github: 'github-webhook',
}

const harmless = /^[A-Za-z0-9_./:@%+=,-]+$/

/** A word of a POSIX shell. */
export const shellQuote = (text: string): string => (harmless.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

/** A scalar of YAML: what could be read as anything but this text is quoted, as JSON, which is YAML too. */
export const yamlQuote = (text: string): string =>
  /^[A-Za-z][A-Za-z0-9_-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text)
    ? text
    : JSON.stringify(text)

/** Taken are the names of Secrets that there are: what is saved under one of them would take that account's place. */
export function teach(
  kind: AccountKind,
  instance: { name: string; namespace: string },
  owner: string,
  taken: readonly string[] = [],
): Teaching {
  const { key, file, name, sample } = facts[kind]
  const secret = free(`${instance.name}-${name}`, taken)
  const kubectl = `kubectl --namespace ${shellQuote(instance.namespace)}`
  return {
    file,
    commands: [
      `${kubectl} create secret generic ${secret} --from-file=${key}=${file}`,
      `${kubectl} label secret ${secret} socialops.dev/connected-account=${kind}`,
      `${kubectl} annotate secret ${secret} ${shellQuote(`socialops.dev/owner=${owner}`)}`,
    ].join('\n'),
    manifest: [
      'apiVersion: v1',
      'kind: Secret',
      'metadata:',
      `  name: ${yamlQuote(secret)}`,
      '  labels:',
      `    socialops.dev/connected-account: ${kind}`,
      '  annotations:',
      `    socialops.dev/owner: ${yamlQuote(owner)}`,
      'stringData:',
      `  ${key}: ${JSON.stringify(sample)}`,
    ].join('\n'),
  }
}

function free(name: string, taken: readonly string[]): string {
  for (let n = 1; ; n++) {
    const tried = n === 1 ? name : `${name}-${n}`
    if (!taken.includes(tried)) return tried
  }
}

/** How GitHub's page for a repository's webhooks is reached, when the channel binds one. */
export const githubHooks = (repository: string | null | undefined): string | undefined =>
  repository && /^[A-Za-z0-9][\w-]*\/[\w.-]+$/.test(repository)
    ? `https://github.com/${repository}/settings/hooks/new`
    : undefined
