import { describe, expect, test } from 'vitest'
import { OpenFiles } from '../../../../engine/log/embedded/open-files.ts'
import type { FileSystem, ReadFile } from '../../../../engine/ports/file-system.ts'

/** Counts how often each file was opened, and fails every use of a closed one. */
class CountingFiles {
  readonly opened = new Map<string, number>()
  open = 0

  readonly fs = {
    open: async (name: string): Promise<ReadFile> => {
      this.opened.set(name, (this.opened.get(name) ?? 0) + 1)
      this.open++
      let closed = false
      const check = () => {
        if (closed) throw new Error(`${name} is closed`)
      }
      return {
        size: async () => 1,
        read: async () => {
          check()
          return 1
        },
        close: async () => {
          check()
          closed = true
          this.open--
        },
      }
    },
  } as Pick<FileSystem, 'open'> as FileSystem
}

const useOnce = (files: OpenFiles, name: string) =>
  files.use(name, async (file) => {
    await new Promise((resolve) => setImmediate(resolve))
    await file.read(new Uint8Array(1), 0)
  })

describe('files held open for reading', () => {
  test('stay open up to the limit', async () => {
    const counting = new CountingFiles()
    const files = new OpenFiles(counting.fs, 4)
    for (let round = 0; round < 3; round++) for (const name of ['a', 'b', 'c', 'd']) await useOnce(files, name)
    expect([...counting.opened.values()]).toEqual([1, 1, 1, 1])
    await files.close()
    expect(counting.open).toBe(0)
  })

  test('beyond the limit the least recently used one is closed, and never the one just opened', async () => {
    const counting = new CountingFiles()
    const files = new OpenFiles(counting.fs, 2)
    for (const name of ['a', 'b', 'a', 'c', 'a', 'b']) await useOnce(files, name)
    expect(Object.fromEntries(counting.opened)).toEqual({ a: 1, b: 2, c: 1 })
    expect(counting.open).toBe(2)
    await Promise.all(Array.from({ length: 20 }, (_, i) => useOnce(files, `f${i % 7}`)))
    await files.close()
    expect(counting.open).toBe(0)
  })

  test('a file that is dropped stays open for its users', async () => {
    const counting = new CountingFiles()
    const files = new OpenFiles(counting.fs, 2)
    const using = useOnce(files, 'a')
    await files.drop('a')
    await using
    expect(counting.open).toBe(0)
  })
})
