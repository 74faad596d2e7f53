import { describe, expect, it } from 'vitest'
import { githubHooks, shellQuote, teach, yamlQuote } from './teach'

describe('teach', () => {
  const instance = { name: 'support', namespace: 'desk' }

  it('gives the commands for a bot', () => {
    expect(teach('telegram-bot', instance, 'alice').commands).toBe(
      [
        'kubectl --namespace desk create secret generic support-bot --from-file=token=token.txt',
        'kubectl --namespace desk label secret support-bot socialops.dev/connected-account=telegram-bot',
        'kubectl --namespace desk annotate secret support-bot socialops.dev/owner=alice',
      ].join('\n'),
    )
  })

  it('gives the manifest for a GitHub webhook', () => {
    const { manifest } = teach('github-webhook', instance, 'alice')
    expect(manifest).toContain('    socialops.dev/connected-account: github-webhook\n')
    expect(manifest).toContain('\n  secret: "')
  })

  it('takes no name that another account has', () => {
    const { commands, manifest } = teach('telegram-bot', instance, 'alice', ['support-bot', 'support-bot-2'])
    expect(commands).toContain('create secret generic support-bot-3 ')
    expect(manifest).toContain('  name: support-bot-3\n')
  })

  it('quotes whoever signed in', () => {
    const { commands, manifest } = teach('telegram-bot', instance, `auth0|o'neill $(id)`)
    expect(commands).toContain(`annotate secret support-bot 'socialops.dev/owner=auth0|o'\\''neill $(id)'`)
    expect(manifest).toContain(`    socialops.dev/owner: "auth0|o'neill $(id)"`)
  })
})

it.each([
  ['alice', 'alice'],
  ['a b', "'a b'"],
  ["it's", `'it'\\''s'`],
  ['', "''"],
  ['a;rm -rf', "'a;rm -rf'"],
  ['a\nb', "'a\nb'"],
])('a shell reads %j back', (text, quoted) => {
  expect(shellQuote(text)).toBe(quoted)
})

it.each([
  ['alice', 'alice'],
  ['no', '"no"'],
  ['123', '"123"'],
  ['a: b', '"a: b"'],
  ['"', '"\\""'],
])('YAML reads %j as text', (text, quoted) => {
  expect(yamlQuote(text)).toBe(quoted)
})

it('links to the hooks of a repository, and of nothing else', () => {
  expect(githubHooks('open4x/social-ops.js')).toBe('https://github.com/open4x/social-ops.js/settings/hooks/new')
  expect(githubHooks('javascript:alert(1)')).toBeUndefined()
  expect(githubHooks('a/b/c')).toBeUndefined()
  expect(githubHooks(null)).toBeUndefined()
})
