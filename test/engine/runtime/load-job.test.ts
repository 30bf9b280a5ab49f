import { afterAll, describe, expect, test } from 'vitest'
import { StreamError } from '../../../engine/errors.ts'
import type { Logger } from '../../../engine/ports/world.ts'
import { type JobBundle, loadJob } from '../../../engine/runtime/load-job.ts'
import { JobPresent } from '../../../engine/runtime/sandbox/job-present.ts'

const zoneAtStart = process.env.TZ
afterAll(() => {
  if (zoneAtStart === undefined) delete process.env.TZ
  else process.env.TZ = zoneAtStart
})

describe('a loaded job', () => {
  test('is the default export of its bundle, if defineJob made it', () => {
    expect(load('module.exports.default = require("reprise").defineJob({ answer: 42 })').job).toMatchObject({ answer: 42 })
    expect(codeOfLoad('module.exports.default = { answer: 42 }')).toBe('JOB_INVALID')
    expect(codeOfLoad('module.exports.job = 1')).toBe('JOB_INVALID')
    expect(codeOfLoad('module.exports.default = null')).toBe('JOB_INVALID')
    expect(codeOfLoad('module.exports.default = { job: "a" }')).toBe('JOB_INVALID')
    expect(codeOfLoad('module.exports.default = { job: 1, nodes: [] }')).toBe('JOB_INVALID')
  })

  test('that throws while it is evaluated could not be loaded', () => {
    const error = errorOf(() => load('throw new RangeError("too far")'))
    expect(error).toMatchObject({ code: 'JOB_LOAD_FAILED', details: { job: 'job.ts', reason: 'RangeError: too far' } })
    expect((error as Error).cause).toBeInstanceOf(RangeError)
    expect(codeOfLoad('this is not a program')).toBe('JOB_LOAD_FAILED')
  })

  test('has its module-level state for itself, and its own global object', () => {
    const text =
      'let n = 0; globalThis.count = () => ++n; module.exports.default = require("reprise").defineJob({ run: () => globalThis.count() })'
    const [one, two] = [load(text).job, load(text).job]
    expect([one.run(), one.run(), two.run()]).toEqual([1, 2, 1])
    expect('count' in globalThis).toBe(false)
  })

  test('sees the time of the record at hand, and random numbers of the slice', () => {
    const { run, present } = running('[Date.now(), new Date().toISOString(), Math.random(), Math.max(1, 2)]')
    present.time = 1000
    present.seed(1, 7)
    const first = run()
    expect(first).toEqual([1000, '1970-01-01T00:00:01.000Z', expect.any(Number), 2])
    present.seed(1, 7)
    present.time = 2000
    expect(run()).toEqual([2000, '1970-01-01T00:00:02.000Z', (first as unknown[])[2], 2])
  })

  test('can make functions, which see what the job sees', () => {
    const { run, present } = running(
      '[new Function("a", "b", "return a + b + Date.now()")(1, 2), Function("return this")(), (() => 1) instanceof Function]',
    )
    present.time = 100
    expect(run()).toEqual([103, undefined, true])
    expect(refused('Function("return fetch(1)")()')).toBe('fetch')
  })

  test.each([
    ['setTimeout(() => {}, 1)', 'setTimeout'],
    ['setInterval(() => {}, 1)', 'setInterval'],
    ['setImmediate(() => {})', 'setImmediate'],
    ['queueMicrotask(() => {})', 'queueMicrotask'],
    ['fetch("http://localhost")', 'fetch'],
    ['new XMLHttpRequest()', 'XMLHttpRequest'],
    ['new WebSocket("ws://localhost")', 'WebSocket'],
    ['crypto.randomUUID()', 'crypto.randomUUID'],
    ['crypto.getRandomValues(new Uint8Array(1))', 'crypto.getRandomValues'],
    ['performance.now()', 'performance.now'],
    ['process.env.HOME', 'process.env.HOME'],
    ['process.hrtime()', 'process.hrtime'],
    ['process.title = "x"', 'process.title'],
    ['eval("1")', 'eval'],
    ['(0, eval)("1")', 'eval'],
    ['require("fs")', "import('fs')"],
    ['new WeakRef({})', 'WeakRef'],
    ['new FinalizationRegistry(() => {})', 'FinalizationRegistry'],
    ['Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)', 'Atomics.wait'],
    ['new AbortController()', 'AbortController'],
    ['new MessageChannel()', 'MessageChannel'],
    ['new BroadcastChannel("a")', 'BroadcastChannel'],
    ['globalThis.fetch("x")', 'fetch'],
    ['global.crypto.randomUUID()', 'crypto.randomUUID'],
    ['globalThis.globalThis.process.cwd()', 'process.cwd'],
  ])('may not %s', (expression, api) => {
    expect(refused(expression)).toBe(api)
  })

  test('gets advice with each refusal', () => {
    for (const expression of [
      'setTimeout(1)',
      'fetch()',
      'crypto.x',
      'process.x',
      'performance.x',
      'eval("")',
      'new WeakRef({})',
      'require("fs")',
      'WebAssembly.compile()',
    ]) {
      const error = errorOf(() => running(expression).run()) as StreamError
      expect(error.fix, expression).toMatch(/.{30}/)
    }
    expect((errorOf(() => running('setTimeout(() => 1)').run()) as StreamError).fix).toContain('window')
  })

  test('does not get at the host by `this` or by the names of its wrapper', () => {
    expect(
      running('[(function () { return this })(), typeof __filename, typeof __dirname, typeof navigator, typeof window]').run(),
    ).toEqual([undefined, 'undefined', 'undefined', 'undefined', 'undefined'])
  })

  test('does not see what libraries of the host put onto the global object', () => {
    const host = globalThis as Record<string, unknown>
    host.__library = { config: 1 }
    try {
      expect(running('[typeof __library, "__library" in globalThis, (globalThis.__library ??= 5)]').run()).toEqual(['undefined', false, 5])
      expect(host.__library).toEqual({ config: 1 })
    } finally {
      delete host.__library
    }
  })

  test('finds the language as it is, also under globalThis', () => {
    const text =
      '[globalThis.Array === Array, globalThis.Date === Date, globalThis.Math === Math, globalThis === global, [1] instanceof Array, Math.PI, typeof Buffer, new URL("http://a/b").pathname, process.env.NODE_ENV, isNaN(NaN), structuredClone([1])]'
    expect(running(text).run()).toEqual([true, true, true, true, true, Math.PI, 'function', '/b', 'production', true, [1]])
    expect(running('[1, 2]').run()).toBeInstanceOf(Array)
  })

  test('formats dates and numbers in UTC and English, wherever the process runs', () => {
    const text = `[
      new Date(0).getHours(), String(new Date(0)), new Date(2024, 0, 1).toISOString(), new Date("2024-01-01T12:00").toISOString(),
      Intl.DateTimeFormat().resolvedOptions().timeZone, new Intl.DateTimeFormat("de", { timeStyle: "long" }).format(0), new Intl.DateTimeFormat().format(),
      new Intl.DateTimeFormat("en", { hour: "numeric" }).formatToParts()[0].value, new Intl.NumberFormat().resolvedOptions().locale,
      new Intl.DateTimeFormat("en", { timeZone: "Asia/Tokyo", hour: "numeric" }).format(0), [..."bä"].sort(new Intl.Collator().compare).join(""),
      new Intl.PluralRules() instanceof Intl.PluralRules, Intl.NumberFormat.supportedLocalesOf(["en"])]`
    const seen = ['UTC', 'America/New_York'].map((zone) => {
      process.env.TZ = zone
      return running(text).run()
    })
    expect(seen[1]).toEqual(seen[0])
    expect(seen[0]).toEqual([
      0,
      'Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)',
      '2024-01-01T00:00:00.000Z',
      '2024-01-01T12:00:00.000Z',
      'UTC',
      '00:00:00 UTC',
      '1/1/1970',
      '12',
      'en-US',
      '9 AM',
      'äb',
      true,
      ['en'],
    ])
  })

  test('writes its console lines to the log', () => {
    const { run, lines } = running(
      '(console.log("a %s", 1, { b: 2 }), console.warn("w"), console.error("e"), console.group("g"), console.assert(false, "no"))',
    )
    run()
    expect(lines).toEqual([
      ['info', { text: 'a 1 { b: 2 }' }],
      ['warn', { text: 'w' }],
      ['error', { text: 'e' }],
      ['error', { text: 'assertion failed no' }],
    ])
  })

  test('leaves the globals of the process as they were', () => {
    const before = Object.getOwnPropertyNames(globalThis).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)?.value])
    running('(globalThis.Date = 1, globalThis.extra = 2, Math.random = () => 0.5, Date.now = () => 1, Intl.Collator = 3)').run()
    expect(Object.getOwnPropertyNames(globalThis).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)?.value])).toEqual(
      before,
    )
    expect(Math.random()).not.toBe(0.5)
    expect(Date.now()).toBeGreaterThan(1)
    expect(typeof Intl.Collator).toBe('function')
  })

  test('can require reprise and nothing else of ours', () => {
    expect(errorOf(() => load('require("reprise/engine")'))).toMatchObject({ code: 'JOB_LOAD_FAILED', fix: 'import from reprise' })
  })
})

interface AnyJob {
  run(): unknown
}

function load(text: string): { job: AnyJob; present: JobPresent; lines: unknown[] } {
  const present = new JobPresent()
  const lines: unknown[] = []
  const line = (level: string) => (fields: object) => void lines.push([level, fields])
  const logger: Logger = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error'), child: () => logger }
  const modules = { reprise: { defineJob: (job: object) => ({ job: 'test', nodes: [], ...job }) } }
  const bundle: JobBundle = { name: 'job.ts', text, map: '{"version":3,"sources":[],"names":[],"mappings":""}', sha256: '' }
  return { job: loadJob(bundle, { modules, present, logger }) as unknown as AnyJob, present, lines }
}

/** A job whose `run` gives the value of an expression. */
function running(expression: string): { run: () => unknown; present: JobPresent; lines: unknown[] } {
  const { job, ...rest } = load(`module.exports.default = require("reprise").defineJob({ run: () => ${expression} })`)
  return { run: () => job.run(), ...rest }
}

function errorOf(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

function codeOfLoad(text: string): string {
  return (errorOf(() => load(text)) as StreamError).code
}

function refused(expression: string): unknown {
  const error = errorOf(() => running(expression).run())
  expect(error).toBeInstanceOf(StreamError)
  expect(error).toMatchObject({ code: 'API_NOT_ALLOWED' })
  return (error as StreamError).details.api
}
