// Reads results of the suite's command line from standard input and writes a score by the suite's own rules.
// usage: node score.mjs CHECKOUT < results.json
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const root = pathToFileURL(process.argv[2] + '/')
const tests = (await import(new URL('tests/index.mjs', root))).default
const { determineTestResult, resultTypes } = await import(new URL('test-engine/lib/results.mjs', root))
const results = JSON.parse(readFileSync(0, 'utf8'))
const score = { required: [0, 0, 0], optimal: [0, 0, 0], check: [0, 0, 0], failed: [] }
for (const suite of tests) {
  for (const test of suite.tests) {
    if (test.browser_only === true) continue
    const kind = test.kind ?? 'required'
    const result = results[test.id]
    const isRight = result === true
    const counts = [resultTypes.pass, resultTypes.yes].includes(determineTestResult(tests, test.id, results))
    score[kind][0] += isRight ? 1 : 0
    score[kind][1] += counts ? 1 : 0
    score[kind][2]++
    if (!counts && kind !== 'check') score.failed.push({ id: test.id, kind, why: isRight ? 'a test it depends on fails' : String(result) })
  }
}
process.stdout.write(JSON.stringify(score))
