import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { reprise } from './fake-terminal.ts'

const main = fileURLToPath(new URL('../../../deploy/cli/main.ts', import.meta.url))

let data: string
let started: Child[]
beforeEach(async () => {
  data = await mkdtemp(path.join(tmpdir(), 'reprise-follow-'))
  started = []
})
afterEach(async () => {
  for (const child of started) await child.kill('SIGKILL')
  await rm(data, { recursive: true })
})

test('beside a process that writes, topics are listed and new records are followed until Ctrl-C', async () => {
  const writer = start(`ingest clicks=- --data ${data} --source-id web`)
  writer.write(lines(0, 3))
  await until(async () => (await records()) === 3)
  const files = await readdir(path.join(data, 'log'))

  const tail = start(`log tail clicks --data ${data} -o -2 -f --json`)
  await until(() => numbers(tail).length === 2)
  writer.write(lines(3, 6))
  await until(() => numbers(tail).length === 5)
  expect(numbers(tail)).toEqual([1, 2, 3, 4, 5])
  expect(await reprise(`log tail clicks --data ${data} -o 4 --json`)).toMatchObject({ exit: 0, err: '' })
  // Whoever only looks leaves no files behind.
  expect(await readdir(path.join(data, 'log'))).toEqual(files)

  expect(await tail.kill('SIGINT')).toBe(130)
  expect(tail.err).toBe('')
  writer.end()
  expect(await writer.ended).toBe(0)
}, 60_000)

test('what is followed goes on over the end, the death and the start of writers, up to the limit', async () => {
  const first = start(`ingest clicks=- --data ${data} --source-id one`)
  first.write(lines(0, 2))
  first.end()
  expect(await first.ended).toBe(0)

  const tail = start(`log tail clicks --data ${data} -o beginning -f --limit 6 --json`)
  await until(() => numbers(tail).length === 2)
  const second = start(`ingest clicks=- --data ${data} --source-id two`)
  second.write(lines(2, 4))
  await until(() => numbers(tail).length === 4)
  await second.kill('SIGKILL')
  const third = start(`ingest clicks=- --data ${data} --source-id three`)
  third.write(lines(4, 9))
  expect(await tail.ended).toBe(0)
  expect(numbers(tail)).toEqual([0, 1, 2, 3, 4, 5])
  third.end()
  expect(await third.ended).toBe(0)
}, 60_000)

interface Child {
  readonly out: string
  readonly err: string
  readonly ended: Promise<number | null>
  write(text: string): void
  end(): void
  kill(signal: NodeJS.Signals): Promise<number | null>
}

function start(args: string): Child {
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(process.execPath, ['--import', 'tsx', main, ...args.split(' ')], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const texts = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (texts.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (texts.err += text))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const running: Child = {
    get out() {
      return texts.out
    },
    get err() {
      return texts.err
    },
    ended,
    write: (text) => void child.stdin.write(text),
    end: () => void child.stdin.end(),
    kill: (signal) => {
      child.kill(signal)
      return ended
    },
  }
  started.push(running)
  return running
}

function lines(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, i) => `{"n":${from + i}}\n`).join('')
}

function numbers({ out }: Child): number[] {
  return out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line).value.n)
}

async function records(): Promise<number> {
  const { exit, out } = await reprise(`topics --data ${data} --json`)
  return exit === 0 ? JSON.parse(out).topics[0]?.partitions[0].end : 0
}

async function until(met: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; !(await met()); ) {
    if (Date.now() > end) throw new Error(`not met: ${started.map(({ out, err }) => `${out}${err}`).join('\n')}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
