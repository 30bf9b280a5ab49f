import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'

test('who is halted by a debugger does not loop, also where it came while the process ran', { timeout: 20_000 }, async () => {
  expect(await end('')).toBe('SIGKILL')
  expect(await end("import('node:inspector').then(({ open }) => open(0, '127.0.0.1'))")).toBe(0)
})

/** How a process ends that is watched, comes to `meanwhile`, and is then silent for too long. */
async function end(meanwhile: string): Promise<number | NodeJS.Signals> {
  const program = `
    import { watchForLoops } from './deploy/cli/loop-watch.ts'
    watchForLoops(1000, '')
    ${meanwhile}
    setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000), 1500)
    setTimeout(() => process.exit(0), 1600)`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], { stdio: 'ignore' })
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  return signal ?? code!
}
