import { describe, expect, test } from 'vitest'
import { codeOf } from '../../../../engine/errors.ts'
import { EmbeddedLog, type EmbeddedLogOptions } from '../../../../engine/log/embedded/embedded-log.ts'
import { begunFileName, logFileName, parseFileName, reserveFileName } from '../../../../engine/log/embedded/file-names.ts'
import { frameKind, readDetail } from '../../../../engine/log/embedded/frame.ts'
import { FrameWriter } from '../../../../engine/log/embedded/frame-writer.ts'
import type { HeadState } from '../../../../engine/log/embedded/head.ts'
import { readLogHead, scanFrames } from '../../../../engine/log/embedded/log-scan.ts'
import { ReadOnlyLog } from '../../../../engine/log/embedded/read-only-log.ts'
import type { EmbeddedLogSettings } from '../../../../engine/log/embedded/settings.ts'
import { verifyLog } from '../../../../engine/log/embedded/verify-log.ts'
import type { Log } from '../../../../engine/ports/log.ts'
import { append, numbers, readAll, record, records, streamTopic, Writer } from '../../../contract/log/records.ts'
import { runsOf } from '../../../support/lane.ts'
import { SimClock } from '../../../support/sim-clock.ts'
import { SimDisk } from '../../../support/sim-fs.ts'

const settings: Partial<EmbeddedLogSettings> = { reserveBytes: 0, ownSegmentBytesMin: 1000, joinedBlockBytes: 4000 }
const openOn = (disk: SimDisk, more: Partial<EmbeddedLogOptions> = {}) =>
  EmbeddedLog.open({ fs: disk.mount(), clock: new SimClock(), settings, newLogId: () => 7n, ...more })

type Files = ReadonlyMap<string, Buffer>

function filesOf(disk: SimDisk): Files {
  return new Map(disk.list().map((name) => [name, disk.content(name)]))
}

function diskWith(files: Files, changed?: { name: string; content: Buffer | undefined }): SimDisk {
  const disk = new SimDisk(1)
  for (const [name, content] of files) if (name !== changed?.name) disk.plant(name, content)
  if (changed?.content) disk.plant(changed.name, changed.content)
  return disk
}

const flipped = (content: Buffer, position: number): Buffer => {
  const copy = Buffer.from(content)
  copy[position]! ^= 0x10
  return copy
}

async function contentOf(log: Log): Promise<unknown> {
  const partitions = log.topics().flatMap(({ name, partitions }) => numbers(0, partitions).map((partition) => [name, partition] as const))
  return Promise.all(
    partitions.map(async ([name, partition]) => [name, partition, await readAll(log, name, partition, log.bounds(name, partition).start)]),
  )
}

/** A clock on which waiting takes no time. */
function waiting(): SimClock {
  const clock = new SimClock()
  clock.sleep = async () => {}
  return clock
}

/** All that can happen without time passing has happened. */
async function settled(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** Segments, a closed log file, and a newest one with several frames. */
async function filled(): Promise<SimDisk> {
  const disk = new SimDisk(1)
  const log = await openOn(disk)
  await streamTopic(log, 'orders', 2)
  const writer = await Writer.open(log)
  for (const n of numbers(0, 6)) await writer.send(append('orders', 0, ...records(8 * n, 8 * n + 8)), append('orders', 1, record(n)))
  await log.rewrite()
  await writer.send(append('orders', 0, record(100)))
  await log.close()
  const fs = disk.mount()
  const create = fs.create.bind(fs)
  // The closed file stays as it is: its rewrite never begins.
  fs.create = (name, options) => (name.endsWith('.segment') ? new Promise(() => {}) : create(name, options))
  const again = await openOn(disk, { fs })
  const writer2 = await Writer.open(again, 'second')
  for (const n of numbers(0, 2)) await writer2.send(append('orders', n, record(200 + n)))
  // No quiet frame.
  fs.kill('test')
  return disk
}

function newest(files: Files): { name: string; number: number; content: Buffer } {
  const number = Math.max(
    ...[...files.keys()].flatMap((name) => (parseFileName(name)?.kind === 'log' ? [parseFileName(name)!.number] : [])),
  )
  return { name: logFileName(number), number, content: files.get(logFileName(number))! }
}

function framesOf({ content, number }: { content: Buffer; number: number }) {
  const head = readLogHead(content, number)
  if ('reason' in head) throw new Error(head.reason)
  return [head, ...scanFrames(content, head).frames]
}

/** Where each listed file ends for the log: what stands behind that does not exist. */
async function endsOf(files: Files): Promise<Map<string, number>> {
  const { unlisted } = await verifyLog(diskWith(files).mount())
  const { content } = newest(files)
  const [head] = framesOf(newest(files))
  const closed = (readDetail(content, 0, head!) as HeadState).logs.map(([number, end]) => [logFileName(number), end] as const)
  const listed = [...files].filter(([name]) => parseFileName(name) && !unlisted.includes(name))
  return new Map([...listed.map(([name, bytes]) => [name, bytes.length] as const), ...closed])
}

describe('a torn write', () => {
  test('cut at any byte is as if it had not been, whatever the disk shows behind it', async () => {
    const files = filesOf(await filled())
    const { name, content, number } = newest(files)
    const last = framesOf({ content, number }).at(-1)!
    const before = await contentOf(await openOn(diskWith(files, { name, content: content.subarray(0, last.position) })))
    const whole = await contentOf(await openOn(diskWith(files)))
    expect(whole).not.toEqual(before)
    for (let cut = last.position; cut < content.length; cut += stride(16)) {
      const kept = content.subarray(0, cut)
      const behind = [Buffer.alloc(0), Buffer.alloc(content.length - cut), Buffer.alloc(content.length - cut, 0xa5)]
      for (const garbage of behind) {
        const torn = Buffer.concat([kept, garbage])
        if (torn.equals(content)) continue
        const disk = diskWith(files, { name, content: torn })
        expect((await verifyLog(disk.mount())).faults).toEqual([])
        const log = await openOn(disk)
        expect(await contentOf(log)).toEqual(before)
        if ((cut - last.position) % 16 > 0) continue
        await (await Writer.open(log)).send(append('orders', 0, record(300)))
        await log.close()
        expect((await contentOf(await openOn(disk))) as never).toHaveLength(2)
      }
    }
  })

  test('of a head at any byte leaves the file before it in force, unless the file has its name: then the head was durable', async () => {
    const disk = await filled()
    const before = filesOf(disk)
    const log = await openOn(disk)
    const after = await contentOf(log)
    const { name, content, number } = newest(filesOf(disk))
    const [head] = framesOf({ content, number })
    for (let cut = 0; cut < head!.length; cut += 3 * stride(16)) {
      const torn = diskWith(new Map([...before, [begunFileName(number), content.subarray(0, cut)]]))
      expect((await verifyLog(torn.mount())).faults).toEqual([])
      expect(await contentOf(await openOn(torn))).toEqual(after)
      const named = diskWith(new Map([...before, [name, content.subarray(0, cut)]]))
      await expect(openOn(named)).rejects.toMatchObject({ code: 'LOG_CORRUPT', details: { file: name, position: 0 } })
    }
  })
})

describe('one flipped bit', () => {
  test('in any byte of any listed file is found by verification', async () => {
    const files = filesOf(await filled())
    const ends = await endsOf(files)
    const { name: newestName, content, number } = newest(files)
    const last = framesOf({ content, number }).at(-1)!
    let torn = 0
    for (const [name, end] of ends) {
      const bytes = files.get(name)!
      for (let position = 0; position < end; position++) {
        const report = await verifyLog(diskWith(files, { name, content: flipped(bytes, position) }).mount()).catch((error) => error)
        if (codeOf(report) === 'LOG_FORMAT_UNKNOWN') throw new Error(`a flipped bit at ${name} ${position} looks like another format`)
        const inLast = name === newestName && position >= last.position
        if (report.faults.length === 0 && !(inLast && report.torn)) throw new Error(`flip at ${name} ${position} went unseen`)
        if (inLast) torn++
        else expect(report.faults[0].file).toBe(name)
      }
    }
    expect(torn).toBe(last.length)
  }, 120_000)

  test('in a log file, with anything behind it, keeps the log from opening; it names file and position', async () => {
    const files = filesOf(await filled())
    const { name: newestName, content, number } = newest(files)
    const frames = framesOf({ content, number })
    for (const [name, listedEnd] of await endsOf(files)) {
      if (parseFileName(name)?.kind !== 'log') continue
      const bytes = files.get(name)!
      const end = name === newestName ? frames.at(-1)!.position : listedEnd
      for (let position = 0; position < end; position += 7) {
        const error = await openOn(diskWith(files, { name, content: flipped(bytes, position) })).catch((error) => error)
        expect(codeOf(error)).toBe('LOG_CORRUPT')
        expect(error.details.file).toBe(name)
        expect(error.details.position).toBeLessThanOrEqual(position)
      }
    }
  })

  test('in a segment stops the readers of that block only', async () => {
    const files = filesOf(await filled())
    const segments = [...(await endsOf(files)).keys()].filter((name) => parseFileName(name)?.kind === 'segment')
    expect(segments.length).toBe(2)
    for (const name of segments) {
      const bytes = files.get(name)!
      const log = await openOn(diskWith(files, { name, content: flipped(bytes, bytes.length - 20) }))
      const outcomes = await Promise.allSettled([0, 1].map((partition) => readAll(log, 'orders', partition)))
      expect(outcomes.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected'])
      const failed = outcomes.find((one) => one.status === 'rejected')!
      expect(failed.reason).toMatchObject({ code: 'LOG_CORRUPT', details: { file: name, position: expect.any(Number) } })
      await (await Writer.open(log, 'third')).send(append('orders', 0, record(1)), append('orders', 1, record(1)))
      await log.close()
    }
  })

  test('in the last real frame is found too, once the log was quiet for a second or was closed', async () => {
    for (const closing of [false, true]) {
      const disk = await filled()
      const clock = new SimClock()
      const log = await openOn(disk, { clock })
      await settled()
      await (await Writer.open(log, 'third')).send(append('orders', 0, record(400)))
      const { name, content, number } = newest(filesOf(disk))
      const last = framesOf({ content, number }).at(-1)!
      clock.advance(999)
      await settled()
      expect(disk.content(name).length).toBe(content.length)
      if (closing) await log.close()
      else {
        clock.advance(1)
        await settled()
      }
      const files = filesOf(disk)
      const damaged = flipped(files.get(name)!, last.position + 70)
      await expect(openOn(diskWith(files, { name, content: damaged }))).rejects.toMatchObject({ code: 'LOG_CORRUPT' })
      // Quiet once is enough.
      clock.advance(5000)
      await settled()
      expect(disk.content(name).length).toBe(files.get(name)!.length)
    }
  })
})

describe('a flipped bit in the head', () => {
  test('is found from the moment the log is open', async () => {
    const disk = await filled()
    const fs = disk.mount()
    await openOn(disk, { fs })
    fs.kill('test')
    const files = filesOf(disk)
    const { name, content, number } = newest(files)
    const [head] = framesOf({ content, number })
    expect(head!.blocks).toBeGreaterThan(0)
    for (let position = 0; position < head!.length; position += 5) {
      await expect(openOn(diskWith(files, { name, content: flipped(content, position) }))).rejects.toMatchObject({ code: 'LOG_CORRUPT' })
    }
  })
})

describe('a log that is gone', () => {
  const corruptAt = (file: string) => ({ code: 'LOG_CORRUPT', details: { file, position: 0 }, fix: expect.stringContaining('backup') })
  const ruins: Record<string, (content: Buffer) => Buffer> = {
    'cut to nothing': () => Buffer.alloc(0),
    'overwritten with zeros': ({ length }) => Buffer.alloc(length),
    'overwritten with something': ({ length }) => Buffer.alloc(length, 0xa5),
    'cut within its head': (content) => content.subarray(0, 40),
  }
  for (const [how, ruined] of Object.entries(ruins)) {
    test(`every log file ${how}: not taken for a new log by anyone, and left as it is`, async () => {
      const used = filesOf(await filled())
      // Opened once and never used again: one file, nothing else.
      const once = new SimDisk(1)
      await (await openOn(once)).close()
      const alone = [...filesOf(once)].filter(([name]) => parseFileName(name))
      expect(alone.map(([name]) => name)).toEqual([logFileName(1)])
      for (const files of [used, new Map(alone)]) {
        const ruin = new Map([...files].map(([name, content]) => [name, parseFileName(name)?.kind === 'log' ? ruined(content) : content]))
        const disk = diskWith(ruin)
        const { name } = newest(files)
        await expect(openOn(disk)).rejects.toMatchObject(corruptAt(name))
        await expect(ReadOnlyLog.open({ fs: disk.mount(), clock: new SimClock() })).rejects.toMatchObject(corruptAt(name))
        expect((await verifyLog(disk.mount())).faults).toContainEqual({ file: name, position: 0, what: expect.any(String) })
        expect(filesOf(disk)).toEqual(ruin)
      }
    })
  }

  test('no log file is left, but what only a log leaves', async () => {
    const files = filesOf(await filled())
    const kindOf = (name: string) => parseFileName(name)?.kind ?? name
    for (const left of ['segment', reserveFileName]) {
      const rest = new Map([...files].filter(([name]) => kindOf(name) === left))
      expect(rest.size).toBeGreaterThan(0)
      const disk = diskWith(rest)
      await expect(openOn(disk)).rejects.toMatchObject(corruptAt(logFileName(1)))
      await expect(ReadOnlyLog.open({ fs: disk.mount(), clock: waiting() })).rejects.toMatchObject(corruptAt(logFileName(1)))
      expect((await verifyLog(disk.mount())).faults).toMatchObject([{ file: logFileName(1), position: 0 }])
      expect(filesOf(disk)).toEqual(rest)
    }
  })

  test('nothing is left of it, but there are traces of it elsewhere', async () => {
    const traces = ['checkpoints/orders.v1.task-0/41.manifest']
    const reason = expect.stringContaining(traces[0]!)
    for (const disk of [new SimDisk(1), diskWith(new Map([[begunFileName(1), Buffer.alloc(100)]]))]) {
      const found = { code: 'LOG_CORRUPT', details: { file: logFileName(1), position: 0, reason } }
      await expect(openOn(disk, { traces })).rejects.toMatchObject(found)
      await expect(ReadOnlyLog.open({ fs: disk.mount(), clock: waiting(), traces })).rejects.toMatchObject(found)
    }
    // As long as there is a log they say nothing.
    const disk = new SimDisk(1)
    await (await openOn(disk)).close()
    await (await openOn(disk, { traces })).close()
  })

  test('a process that dies while it makes its first log, and then again, leaves a new one, whatever survives', async () => {
    let died = 0
    for (let first = 0, lived = false; !lived; first++) {
      for (const second of [0, 1, 2, 3, 4, 5, 6]) {
        for (const kept of [undefined, 0, 0.5, 1]) {
          const disk = new SimDisk(1000 * first + 10 * second + (kept ?? 0.1) * 10)
          for (const operationsMax of [first, second]) {
            const fs = disk.mount({ operationsMax })
            const opened = openOn(disk, { fs }).then(() => true)
            lived = await Promise.race([opened, fs.killed.then(() => false)])
            if (lived) break
            died++
            if (kept !== undefined) disk.losePower(kept)
          }
          expect((await verifyLog(disk.mount())).faults).toEqual([])
          const log = await openOn(disk)
          await streamTopic(log)
          await (await Writer.open(log)).send(append('orders', 0, record(1)))
          await log.close()
          expect(disk.list().filter((name) => parseFileName(name)?.kind === 'begun')).toEqual([])
        }
      }
      expect(first).toBeLessThan(30)
    }
    expect(died).toBeGreaterThan(300)
  })
})

describe('other damage', () => {
  test('a listed file that is missing, or shorter than the list says, keeps the log from opening', async () => {
    const files = filesOf(await filled())
    const { name: newestName } = newest(files)
    let checked = 0
    for (const [name, end] of await endsOf(files)) {
      if (name === newestName) continue
      const missing = diskWith(files, { name, content: undefined })
      expect((await verifyLog(missing.mount())).faults).toMatchObject([{ file: name, what: 'the file is missing' }])
      await expect(openOn(missing)).rejects.toMatchObject({ code: 'LOG_CORRUPT', details: { file: name } })
      const { kind } = parseFileName(name)!
      const short = diskWith(files, { name, content: files.get(name)!.subarray(0, end - 8) })
      expect((await verifyLog(short.mount())).faults.length).toBeGreaterThan(0)
      if (kind === 'log') await expect(openOn(short)).rejects.toMatchObject({ code: 'LOG_CORRUPT', details: { file: name } })
      checked++
    }
    expect(checked).toBeGreaterThan(2)
  })

  test('a frame that another log or another file left behind is not taken for a new one', async () => {
    const files = filesOf(await filled())
    const { name, content, number } = newest(files)
    const other = filesOf(await filled())
    const before = await contentOf(await openOn(diskWith(files)))
    // The same log, written once more: same numbers, same places, another id.
    const foreign = new SimDisk(2)
    const log = await openOn(foreign, { newLogId: () => 8n })
    await streamTopic(log, 'orders', 2)
    const stale = framesOf(newest(filesOf(foreign))).at(-1)!
    const bytes = newest(filesOf(foreign)).content.subarray(stale.position)
    const last = framesOf({ content, number }).at(-1)!
    for (const frame of [bytes, content.subarray(last.position), other.get(name)!.subarray(last.position)]) {
      const disk = diskWith(files, { name, content: Buffer.concat([content, frame]) })
      expect(await contentOf(await openOn(disk))).toEqual(before)
    }
  })

  test('a sound frame with the right number is none when it names another log, file or position', async () => {
    const files = filesOf(await filled())
    const { name, content, number } = newest(files)
    const { logId, commitNumber } = framesOf({ content, number }).at(-1)!
    const right = { logId, file: number, position: content.length }
    const write = (place: typeof right, step = 1) =>
      Buffer.from(new FrameWriter().encode(place, { kind: frameKind.quiet, commitNumber: commitNumber + step, appendTime: 1 }).bytes)
    const takes = async (frame: Buffer) => {
      const disk = diskWith(files, { name, content: Buffer.concat([content, frame]) })
      const { torn, faults } = await verifyLog(disk.mount())
      expect(faults).toEqual([])
      const log = await openOn(disk)
      // The list says where the closed file ends.
      const { name: newName, content: newContent } = newest(filesOf(disk))
      expect(newName).not.toBe(name)
      const { logs } = readDetail(newContent, 0, framesOf(newest(filesOf(disk)))[0]!) as HeadState
      await log.close()
      return { torn: torn !== undefined, end: new Map(logs).get(number) }
    }
    const last = framesOf({ content, number }).at(-1)!
    expect(await takes(write(right))).toEqual({ torn: false, end: content.length })
    for (const wrong of [{ logId: logId + 1n }, { file: number - 1 }, { position: content.length - 8 }]) {
      expect(await takes(write({ ...right, ...wrong }))).toEqual({ torn: true, end: last.position })
    }
    for (const step of [-1, 0, 2]) expect(await takes(write(right, step))).toEqual({ torn: true, end: last.position })
  })

  test('a newer format is refused by its number, and nothing is changed', async () => {
    const disk = await filled()
    const files = filesOf(disk)
    const { name, content } = newest(files)
    const { writeUInt32LE } = Buffer.prototype
    const newer = Buffer.from(content)
    newer.writeUInt16LE(2, 12)
    const { crc32 } = await import('node:zlib')
    writeUInt32LE.call(newer, crc32(newer.subarray(8, 64)), 4)
    const changed = diskWith(files, { name, content: newer })
    await expect(openOn(changed)).rejects.toMatchObject({ code: 'LOG_FORMAT_UNKNOWN', details: { format: 2, known: 1 } })
    expect(filesOf(changed)).toEqual(new Map([...files, [name, newer]]))
  })

  test('files of others in the directory are left alone', async () => {
    const disk = await filled()
    disk.plant('notes.txt', Buffer.from('mine'))
    disk.plant('0000000099.tmp', Buffer.from('mine too'))
    await (await openOn(disk)).close()
    expect(disk.list()).toEqual(expect.arrayContaining(['notes.txt', '0000000099.tmp']))
  })
})

describe('the clock', () => {
  test('a log far ahead of the wall clock does not open until the operator says so; then append times stand still', async () => {
    const disk = new SimDisk(1)
    const late = await openOn(disk, { clock: new SimClock(2_000_000_000_000) })
    await streamTopic(late)
    const { appendTime } = await (await Writer.open(late)).send(append('orders', 0, record(1)))
    await late.close()
    const clock = new SimClock(2_000_000_000_000 - 3_600_001)
    const files = filesOf(disk)
    await expect(openOn(disk, { clock })).rejects.toMatchObject({
      code: 'LOG_CLOCK_AHEAD',
      details: { lastAppendTime: appendTime, aheadMs: 3_600_001 },
    })
    expect(filesOf(disk)).toEqual(files)
    const log = await openOn(disk, { clock, settings: { ...settings, clockAheadAccepted: true } })
    const again = await (await Writer.open(log)).producer.commit({
      expect: { seq: 1, hash: 'hash-1' },
      next: { seq: 2, hash: 'x' },
      appends: [append('orders', 0, record(2))],
    })
    expect(again.appendTime).toBe(appendTime)
    clock.advance(3_600_001 + 50)
    expect(log.clock()).toBe(appendTime + 50)
  })

  test('append time goes on where it was when the wall clock was set back', async () => {
    const disk = new SimDisk(1)
    const first = await openOn(disk, { clock: new SimClock(1_000_000) })
    await streamTopic(first)
    const { appendTime } = await (await Writer.open(first)).send(append('orders', 0, record(1)))
    const clock = new SimClock(1_000_000 - 5000)
    const log = await openOn(disk, { clock })
    clock.advance(100)
    expect(log.clock()).toBe(appendTime)
    clock.advance(5000)
    expect(log.clock()).toBe(appendTime + 100)
  })
})

/** Every byte; every n-th where less is looked at. */
function stride(n: number): number {
  return runsOf(n) === n ? 1 : n
}
