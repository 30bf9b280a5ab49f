import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NodeFileSystem } from '../../../../engine/log/embedded/node-file-system.ts'
import type { FileSystem } from '../../../../engine/ports/file-system.ts'
import { SimDisk } from '../../../support/sim-fs.ts'

let directory: string
let systems: Record<string, FileSystem>
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reprise-fs-'))
  systems = { real: new NodeFileSystem(directory), simulated: new SimDisk(1).mount() }
})
afterEach(() => rm(directory, { recursive: true }))

/** The real and the simulated file system must not drift apart. */
function both(title: string, body: (fs: FileSystem) => Promise<void>): void {
  for (const name of ['real', 'simulated']) test(`${title} (${name})`, () => body(systems[name]!))
}

const text = async (fs: FileSystem, name: string): Promise<string> => {
  const file = await fs.open(name)
  const into = Buffer.alloc((await file.size()) + 10)
  const read = await file.read(into, 0)
  await file.close()
  return into.subarray(0, read).toString()
}

both('what is written anywhere is read back, with zeros in the holes', async (fs) => {
  for (const syncOnWrite of [false, true]) {
    const name = `file-${syncOnWrite}`
    const file = await fs.create(name, { syncOnWrite })
    await file.write(Buffer.from('hello'), 0)
    await file.write(Buffer.from('there'), 2000)
    await file.write(Buffer.from('J'), 0)
    await file.sync()
    expect(await file.size()).toBe(2005)
    expect(await text(fs, name)).toBe(`Jello${'\0'.repeat(1995)}there`)
    const part = Buffer.alloc(4)
    expect(await file.read(part, 2003)).toBe(2)
    expect(await file.read(part, 5000)).toBe(0)
    await file.truncate(3)
    await file.sync()
    expect(await text(fs, name)).toBe('Jel')
    await file.truncate(5)
    expect(await text(fs, name)).toBe('Jel\0\0')
    await file.close()
  }
})

both('room made ahead reads as zeros at most, beside what is written meanwhile, also under a new name', async (fs) => {
  const file = await fs.create('begun', { syncOnWrite: true })
  await file.write(Buffer.from('head'), 0)
  await fs.rename('begun', 'file')
  await Promise.all([file.fillAhead(4096, 12_288), file.write(Buffer.from('more'), 4)])
  await file.write(Buffer.from('later'), 8000)
  await file.sync()
  const found = await text(fs, 'file')
  expect(found.slice(0, 8)).toBe('headmore')
  expect(found.slice(8000, 8005)).toBe('later')
  expect(found.replaceAll('\0', '')).toBe('headmorelater')
  await file.truncate(8)
  await file.sync()
  expect(await text(fs, 'file')).toBe('headmore')
  await file.close()
})

both('files are listed, renamed and removed; a file that is open stays readable', async (fs) => {
  for (const name of ['b', 'a']) await (await fs.create(name)).close()
  const file = await fs.create('c')
  await file.write(Buffer.from('content'), 0)
  expect([...(await fs.list())].sort()).toEqual(['a', 'b', 'c'])
  await fs.rename('c', 'a')
  await fs.remove('b')
  await fs.syncDirectory()
  expect(await fs.list()).toEqual(['a'])
  const open = await fs.open('a')
  await fs.remove('a')
  const into = Buffer.alloc(7)
  expect(await open.read(into, 0)).toBe(7)
  expect(into.toString()).toBe('content')
  await open.close()
  await file.close()
})

both('a file that exists is not created, one that does not is FILE_UNREADABLE', async (fs) => {
  await (await fs.create('a')).close()
  await expect(fs.create('a')).rejects.toThrow()
  await expect(fs.open('x')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  await expect(fs.remove('x')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
})

test('directories in the directory are none of ours', async () => {
  await mkdir(join(directory, 'sub'))
  await writeFile(join(directory, 'file'), '')
  expect(await systems.real!.list()).toEqual(['file'])
})
