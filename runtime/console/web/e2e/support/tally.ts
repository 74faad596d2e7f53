import { stripVTControlCharacters } from 'node:util'
import type { FullResult, Reporter, TestCase, TestResult } from '@playwright/test/reporter'

// What a log keeps when it is cut: at its end, why each test failed, and one line that a machine can read.
export default class Tally implements Reporter {
  private readonly outcome = new Map<string, 'passed' | 'failed' | 'skipped'>()
  private readonly reasons: string[] = []

  onTestEnd(test: TestCase, result: TestResult): void {
    const fine = result.status === 'passed' || result.status === 'skipped'
    this.outcome.set(test.id, fine ? (result.status as 'passed' | 'skipped') : 'failed')
    if (fine) return
    const why = result.errors.map((e) => e.stack ?? e.message ?? e.value ?? '').join('\n')
    const lines = stripVTControlCharacters(why || result.status).split('\n')
    this.reasons.push([`${test.title} (${test.location.file.split('/').at(-1)})`, ...lines.slice(0, 20)].join('\n    '))
  }

  onEnd(result: FullResult): void {
    const count = (what: string): number => [...this.outcome.values()].filter((o) => o === what).length
    const failed = count('failed') + (result.status === 'passed' || count('failed') > 0 ? 0 : 1)
    for (const reason of this.reasons) process.stdout.write(`FAILED ${reason}\n`)
    process.stdout.write(`${count('passed')} passed, ${failed} failed, ${count('skipped')} skipped\n`)
  }

  printsToStdio(): boolean {
    return false
  }
}
