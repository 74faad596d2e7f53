import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { accepts, freePort, Program } from './program.ts'
import { binary, type Stack } from './stack.ts'

// A cluster that is not there: channels can't be changed then, and everything else works.
const nowhere = {
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'none',
  contexts: [{ name: 'none', context: { cluster: 'none', user: 'none' } }],
  clusters: [{ name: 'none', cluster: { server: 'http://127.0.0.1:9' } }],
  users: [{ name: 'none', user: {} }],
}

// Cluster is the console as it runs in a cluster, with an issuer that people sign in at, on a stack's database.
export class Cluster {
  private constructor(
    readonly url: string,
    readonly issuer: string,
    private readonly programs: Program[],
  ) {}

  static async start(stack: Stack): Promise<Cluster> {
    const [port, health, issuerPort] = [await freePort(), await freePort(), await freePort()]
    const issuerURL = `http://127.0.0.1:${issuerPort}`
    const issuer = new Program('oidc-simulator', join(stack.dir, 'issuer.log'), binary, [
      'oidc-simulator',
      '--listen',
      `127.0.0.1:${issuerPort}`,
      '--url',
      issuerURL,
    ])
    const kubeconfig = join(stack.dir, 'no-cluster.json')
    writeFileSync(kubeconfig, JSON.stringify(nowhere))
    const database = readFileSync(join(stack.dir, 'data', 'database-url'), 'utf8').trim()
    await accepts(issuerPort, issuer)
    const server = new Program(
      'socialops console',
      join(stack.dir, 'console.log'),
      binary,
      [
        'console',
        '--listen',
        `127.0.0.1:${port}`,
        '--health-listen',
        `127.0.0.1:${health}`,
        '--oidc-issuer',
        issuerURL,
        '--oidc-audience',
        'socialops',
        '--oidc-client-id',
        'console',
      ],
      { DATABASE_URL: database.replace(/\/\/[^@]*@/, '//socialops_dev_console@'), KUBECONFIG: kubeconfig },
    )
    await accepts(port, server)
    return new Cluster(`http://127.0.0.1:${port}`, issuerURL, [server, issuer])
  }

  async stop(): Promise<void> {
    for (const program of this.programs) await program.stop()
  }
}
