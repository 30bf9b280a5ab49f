import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { backUpData } from '../../deploy/backup.ts'
import { DataDirectory } from '../../deploy/data-directory.ts'
import type { BackupOptions } from '../../engine/log/embedded/backup.ts'
import type { EmbeddedLog } from '../../engine/log/embedded/embedded-log.ts'
import { noProbe, silentLogger } from '../../engine/ports/world.ts'

let folder = ''
let count = 0
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'reprise-backup-'))
})
afterAll(() => rm(folder, { recursive: true }))

const task = 'orders.v1.task-0'
const going = new AbortController().signal

async function directoryWith(
  names: readonly string[],
): Promise<{ data: string; to: string; put(name: string): Promise<void>; take(name: string): Promise<void> }> {
  const data = path.join(folder, `data-${++count}`)
  const checkpoints = path.join(data, 'checkpoints', task)
  await mkdir(checkpoints, { recursive: true })
  const put = (name: string) => writeFile(path.join(checkpoints, name), name)
  for (const name of names) await put(name)
  return { data, to: path.join(folder, `copy-${count}`), put, take: (name) => rm(path.join(checkpoints, name)) }
}

/** A log that is copied at once, with what happens before and after that point. */
function logWith(happens: { before?: () => Promise<void>; after?: () => Promise<void> }): EmbeddedLog {
  const backup = async (_: unknown, { atThatPoint }: BackupOptions) => {
    await happens.before?.()
    atThatPoint!()
    await happens.after?.()
    return 0
  }
  return { backup } as unknown as EmbeddedLog
}

describe('the checkpoints of a backup', () => {
  test('are those of the point at which the log is copied, whatever comes and goes before and after', async () => {
    const { data, to, put, take } = await directoryWith(['first', 'second'])
    const log = logWith({
      before: () => put('third'),
      after: async () => {
        await put('fourth')
        await take('first')
        await take('second')
      },
    })
    await backUpData(log, data, to, going)
    const copied = path.join(to, 'checkpoints', task)
    expect((await readdir(copied)).sort()).toEqual(['first', 'second', 'third'])
    expect(await readFile(path.join(copied, 'second'), 'utf8')).toBe('second')
    expect((await readdir(data)).sort()).toEqual(['checkpoints'])
  })

  test('that are being written are left out', async () => {
    const { data, to } = await directoryWith(['first', 'second.tmp'])
    await backUpData(logWith({}), data, to, going)
    expect(await readdir(path.join(to, 'checkpoints', task))).toEqual(['first'])
  })
})

describe('a backup that is not finished', () => {
  test('leaves nothing of itself', async () => {
    const { data, to } = await directoryWith(['first'])
    const full = async () => Promise.reject(new Error('no room'))
    await expect(backUpData(logWith({ after: full }), data, to, going)).rejects.toThrow('no room')
    expect(await readdir(data)).toEqual(['checkpoints'])
    expect((await readdir(folder)).filter((name) => name.startsWith(path.basename(to)))).toEqual([])
  })

  test('has another name, and one of a process that was killed keeps nobody from the next but under that name', async () => {
    const { data, to } = await directoryWith(['first'])
    await mkdir(`${to}.unfinished`)
    await expect(backUpData(logWith({}), data, to, going)).rejects.toMatchObject({
      code: 'FILE_UNWRITABLE',
      details: { file: `${to}.unfinished` },
    })
    const names = async () => {
      expect(await readdir(folder)).toContain(`${path.basename(to)}-2.unfinished`)
      expect(await readdir(folder)).not.toContain(`${path.basename(to)}-2`)
    }
    await backUpData(logWith({ after: names }), data, `${to}-2`, going)
    expect((await readdir(path.join(`${to}-2`, 'checkpoints'))).sort()).toEqual([task])
  })
})

test('a directory is not copied into itself', async () => {
  const { data } = await directoryWith(['first'])
  for (const to of [path.join(data, 'copy'), path.join(data, 'checkpoints', 'copy')])
    await expect(backUpData(logWith({}), data, to, going)).rejects.toMatchObject({ code: 'FILE_UNWRITABLE', details: { file: to } })
  await backUpData(logWith({}), data, `${data}-copy`, going)
})

test('what a backup kept of checkpoints is gone when its process was killed and the next one begins', async () => {
  const data = path.join(folder, 'killed')
  await mkdir(path.join(data, 'checkpoints.frozen', task), { recursive: true })
  const opened = await DataDirectory.open({ directory: data, logger: silentLogger, probe: noProbe, memoryBytesMax: 1 << 20 })
  expect((await readdir(data)).sort()).toEqual(['log'])
  await opened.close()
})

test('a directory that is closed ends its backup, and closes then', async () => {
  const open = (directory: string) => DataDirectory.open({ directory, logger: silentLogger, probe: noProbe, memoryBytesMax: 1 << 20 })
  const directory = path.join(folder, 'closed')
  const data = await open(directory)
  const backup = expect(data.backup(path.join(folder, 'never'))).rejects.toMatchObject({ code: 'SERVER_STOPPING' })
  await data.close()
  await backup
  expect((await readdir(folder)).filter((name) => name.startsWith('never'))).toEqual([])
  await (await open(directory)).close()
})
