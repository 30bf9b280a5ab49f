import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { TestKitOptions } from '../../deploy/testing/kit-options.ts'
import { TestKit } from '../../deploy/testing/test-kit.ts'
import type { Topology } from '../../engine/model/topology.ts'
import { count, defineJob, type Topic, topic, tumbling } from '../../index.ts'

const record = z.object({ k: z.string(), x: z.unknown() })
const input = topic('in', { value: record, onBad: 'fail' })
const results = topic('out', { value: z.object({ k: z.string(), n: z.number() }), kind: 'table', key: ({ k }) => k })
const settings = [{ parallelism: 1 }, { parallelism: 3 }] as const

async function run(job: Topology, lines: readonly string[], options: TestKitOptions) {
  await using kit = await TestKit.start(job, options)
  await kit.sendRaw(lines.map((value) => ({ topic: 'in', value, eventTime: 1 })))
  await kit.settle()
  // Each life ends with a checkpoint: what it can't keep would stop the next one.
  await kit.restart()
  await kit.complete()
  const out = await kit.output(results as Topic<unknown, never>)
  return {
    out: out.map(({ key, value }) => [key, value]),
    deadLetters: (await kit.deadLetters()).map(({ value, headers }) => [
      Buffer.from(value!).toString().slice(0, 14),
      Buffer.from(headers.find(({ name }) => name === 'reprise.code')!.value).toString(),
    ]),
  }
}

describe.each(settings)('with %o', (options) => {
  test('halves of surrogate pairs, which UTF-8 can not tell apart, are one key', async () => {
    const job = defineJob('halves', (j) =>
      j
        .from(input)
        .keyBy('by-k', ({ k }) => k)
        .window('w', tumbling('1h'))
        .aggregate({ n: count() })
        .map(({ n }, { key }) => ({ k: key, n }))
        .to(results),
    )
    const lines = ['"\\ud800"', '"\\ud801"', '"\\ud801x"', '"\\ud83d\\ude00"'].map((k) => `{"k":${k},"x":0}`)
    expect((await run(job, lines, options)).out.sort()).toEqual([
      ['😀', { k: '😀', n: 1 }],
      ['\ufffd', { k: '\ufffd', n: 2 }],
      ['\ufffdx', { k: '\ufffdx', n: 1 }],
    ])
  })

  test('what an exchange could not carry goes by the policy of the keyBy, also where there is none', async () => {
    class Thing {
      readonly k: string
      constructor(k: string) {
        this.k = k
      }
    }
    const job = defineJob('things', (j) =>
      j
        .from(input)
        .map(({ k }) => (k === 'b' ? new Thing(k) : { k }))
        .keyBy('by-k', ({ k }) => k, { onBad: 'deadLetter' })
        .map(({ k }) => ({ k, n: 1 }))
        .to(results),
    )
    const lines = ['a', 'b', 'c'].map((k) => `{"k":"${k}","x":0}`)
    const { out, deadLetters } = await run(job, lines, options)
    expect(out.sort()).toEqual([
      ['a', { k: 'a', n: 1 }],
      ['c', { k: 'c', n: 1 }],
    ])
    expect(deadLetters).toEqual([['{"k":"b","x":0', 'STATE_VALUE_UNSUPPORTED']])
  })

  test('a value that no checkpoint could hold never gets into a table', async () => {
    const job = defineJob('deep', (j) =>
      j
        .from(input)
        .keyBy('by-k', ({ k }) => k, { onBad: 'deadLetter' })
        .table('latest', { onBad: 'deadLetter' })
        .toStream()
        .map((value) => ({ k: value!.k, n: 1 }))
        .to(results),
    )
    const deep = '['.repeat(300) + ']'.repeat(300)
    const { out, deadLetters } = await run(job, ['{"k":"a","x":1}', `{"k":"b","x":${deep}}`, '{"k":"c","x":1}'], options)
    expect(out.sort()).toEqual([
      ['a', { k: 'a', n: 1 }],
      ['c', { k: 'c', n: 1 }],
    ])
    expect(deadLetters).toEqual([['{"k":"b","x":[', 'STATE_VALUE_UNSUPPORTED']])
  })
})
