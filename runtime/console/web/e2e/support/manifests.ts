// What a test's inbox is made of, as an admin would write it: an instance of one owner, a bot, and three channels.
export interface Plan {
  alias: string
  owner: string
  botToken: string
  githubSecret: string
}

// plan names everything after a number, so that tests share nothing.
export function plan(n: number): Plan {
  const name = `desk-${String(n).padStart(2, '0')}`
  return {
    alias: name,
    owner: `owner-of-${name}`,
    botToken: `${700_000 + n}:SIMULATOR-no-real-token-${name}-0000`,
    githubSecret: `no-real-secret-of-${name}`,
  }
}

export function manifest(p: Plan): string {
  return `apiVersion: socialops.dev/v1alpha1
kind: SocialOpsInstance
metadata: {name: ${p.alias}}
spec:
  alias: ${p.alias}
  owner: ${p.owner}
---
${account(`${p.alias}-bot`, p.owner, 'telegram-bot', 'token', p.botToken)}
---
${account(`${p.alias}-github`, p.owner, 'github-webhook', 'secret', p.githubSecret)}
---
${binding(p.alias, 'events', 'generic-webhook', 'Support Events')}
---
${binding(p.alias, 'telegram', 'telegram', 'Support Telegram', `${p.alias}-bot`)}
  parseMode: HTML
---
${binding(p.alias, 'github', 'github', 'Support GitHub', `${p.alias}-github`)}
`
}

// account is a connected account: a Secret with a label and an owner.
export function account(name: string, owner: string, kind: string, key: string, value: string): string {
  return `apiVersion: v1
kind: Secret
metadata:
  name: ${name}
  labels: {socialops.dev/connected-account: ${kind}}
  annotations: {socialops.dev/owner: ${owner}}
stringData: {${key}: "${value}"}`
}

function binding(alias: string, name: string, provider: string, channelName: string, secret = ''): string {
  const text = `apiVersion: socialops.dev/v1alpha1
kind: ChannelBinding
metadata: {name: ${alias}-${name}}
spec:
  instanceRef: {name: ${alias}}
  provider: ${provider}
  channelName: ${channelName}`
  return secret ? `${text}\n  connectedAccountRef: {name: ${secret}}` : text
}
