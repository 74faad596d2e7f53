import type { FullResult, Reporter, TestCase, TestResult } from '@playwright/test/reporter'

// One line at the end that a machine can read: N passed, N failed.
export default class Tally implements Reporter {
  private readonly outcome = new Map<string, 'passed' | 'failed' | 'skipped'>()

  onTestEnd(test: TestCase, result: TestResult): void {
    this.outcome.set(test.id, result.status === 'passed' || result.status === 'skipped' ? result.status : 'failed')
  }

  onEnd(result: FullResult): void {
    const count = (what: string): number => [...this.outcome.values()].filter((o) => o === what).length
    const failed = count('failed') + (result.status === 'passed' || count('failed') > 0 ? 0 : 1)
    process.stdout.write(`${count('passed')} passed, ${failed} failed, ${count('skipped')} skipped\n`)
  }

  printsToStdio(): boolean {
    return false
  }
}
