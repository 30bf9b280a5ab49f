import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { metricTable, shownLabel } from '../../deploy/observability/metric-table.ts'

const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')
const rules = readFileSync(new URL('../../docs/prometheus/rules.yml', import.meta.url), 'utf8')

// That /metrics has these, and no others, is seen by test/e2e/server-metrics.test.ts.
test('docs/metrics.md has each metric with its type, labels and text, and no other', () => {
  const rows = [...page.matchAll(/^\| `(\w+)` +\| (\w+) +\| (.*?) +\| (.*?) +\|$/gm)].map(([, name, type, labels, help]) => [
    name,
    type,
    [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label),
    help,
  ])
  const expected = Object.entries(metricTable).map(([name, { type, labels, help }]) => [name, type, labels.map(shownLabel), help])
  expect(rows).toEqual(expected)
})

test.each([
  ['docs/prometheus/rules.yml', rules],
  ['the queries of docs/metrics.md', page.match(/```promql([\s\S]*?)```/)![1]!],
])('%s asks for metrics that there are, by labels they have', (_, text) => {
  const recorded = new Set([...text.matchAll(/record: (\S+)/g)].map(([, name]) => name))
  // A recorded name is one word, colons and all.
  const words = [...text.matchAll(/[\w:]*reprise_\w+[\w:]*/g)].map(([word]) => word)
  const metrics = words.filter((word) => word !== 'reprise_job' && !recorded.has(word))
  expect(metrics.length).toBeGreaterThan(4)
  for (const metric of metrics) expect(Object.keys(metricTable)).toContain(baseOf(metric))
  for (const [, metric, matchers] of text.matchAll(/(reprise_\w+)\{(.*?)\}/g)) {
    const labels = metricTable[baseOf(metric!)]!.labels.map(shownLabel)
    for (const [, label] of matchers!.matchAll(/(\w+)=/g)) expect(labels).toContain(label)
  }
})

test('each alert says how bad it is, what happened and what to do', () => {
  const alerts = rules.split(/^ {6}- /m).filter((rule) => rule.startsWith('alert: '))
  expect(alerts.length).toBeGreaterThan(10)
  for (const alert of alerts) expect(alert).toMatch(/expr: [\s\S]*severity: (warning|critical)[\s\S]*summary: "[\s\S]*fix: "/)
})

function baseOf(metric: string): string {
  const base = metric.replace(/_(bucket|sum|count)$/, '')
  return metricTable[base]?.type === 'histogram' ? base : metric
}
