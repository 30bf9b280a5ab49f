import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { codeOf } from '../../../../engine/errors.ts'
import { DirectoryLock } from '../../../../engine/log/embedded/directory-lock.ts'
import { thisProcess } from '../../../../engine/log/embedded/lock-holder.ts'
import { runsOf } from '../../../support/lane.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reprise-lock-'))
})
afterEach(() => rm(directory, { recursive: true }))

const lost = (error: unknown) => {
  throw error
}
const acquire = (options = {}) => DirectoryLock.acquire(directory, { lost, ...options })

test('a directory has one owner, and the error says which process it is', async () => {
  const lock = await acquire()
  await expect(acquire()).rejects.toMatchObject({ code: 'LOG_LOCKED', details: { pid: process.pid } })
  await lock.release()
  await (await acquire()).release()
  expect(await readdir(directory)).toEqual([])
})

test('of many that come at once at most one gets it, time after time', async () => {
  let got = 0
  for (let round = 0; round < runsOf(30); round++) {
    const all = await Promise.allSettled(Array.from({ length: 5 }, () => acquire()))
    const locks = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    for (const one of all) if (one.status === 'rejected') expect(codeOf(one.reason)).toBe('LOG_LOCKED')
    expect(locks.length).toBeLessThanOrEqual(1)
    got += locks.length
    await Promise.all(locks.map((lock) => lock.release()))
  }
  expect(got).toBeGreaterThan(0)
}, 30_000)

test('the claim of a process killed with -9 is taken over, that of a living one is not', async () => {
  const script = `
    import { DirectoryLock } from ${JSON.stringify(new URL('../../../../engine/log/embedded/directory-lock.ts', import.meta.url).href)}
    await DirectoryLock.acquire(${JSON.stringify(directory)}, { lost() {} })
    console.log('locked')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  await expect(acquire()).rejects.toMatchObject({ code: 'LOG_LOCKED', details: { pid: child.pid } })
  child.kill('SIGKILL')
  await once(child, 'exit')
  await (await acquire()).release()
})

test('a process number that another process has by now is no owner', async () => {
  const me = await thisProcess()
  await writeFile(join(directory, 'lock.1.a'), JSON.stringify({ ...me, started: '1' }))
  await (await acquire()).release()
})

test('a holder elsewhere is an owner as long as it shows life', async () => {
  const me = await thisProcess()
  const path = join(directory, 'lock.1.a')
  await writeFile(path, JSON.stringify({ ...me, machine: 'another' }))
  const beat = setInterval(() => utimes(path, new Date(), new Date()).catch(lost), 50)
  await expect(acquire({ silenceMsMax: 500 })).rejects.toMatchObject({ code: 'LOG_LOCKED' })
  clearInterval(beat)
  await (await acquire({ silenceMsMax: 500 })).release()
})

test('a claim that a crash cut off while it was written does not lock for ever', async () => {
  await writeFile(join(directory, 'lock.1.a'), '')
  await (await acquire({ silenceMsMax: 100 })).release()
})
