import { url as debuggerUrl } from 'node:inspector'
import { Worker } from 'node:worker_threads'

const beatMs = 500

/** As text, so that it is the same wherever this file runs. Time is counted in looks of its own: a process that was suspended has not been silent. */
const watcher = `
const { workerData: { beats, beatMs, withinMs, message } } = require('node:worker_threads')
const never = new Int32Array(new SharedArrayBuffer(4))
let seen = -1
for (let silentMs = 0; silentMs < withinMs; silentMs += beatMs) {
  Atomics.wait(never, 0, 0, beatMs)
  const now = Atomics.load(beats, 0)
  if (now !== seen) silentMs = 0
  seen = now
}
require('node:fs').writeSync(2, message)
process.kill(process.pid, 'SIGKILL')`

/**
 * Job code that loops lets no signal through: a thread beside says so and kills this process when it has not come back for `withinMs`. What was
 * acknowledged is safe. Nobody watches once a debugger is there. @returns what ends it.
 */
export function watchForLoops(withinMs: number, message: string): () => Promise<unknown> {
  const beats = new Int32Array(new SharedArrayBuffer(4))
  const workerData = { beats, beatMs, withinMs: Math.max(withinMs, 2 * beatMs), message }
  // With flags of its own: those of this process may say that its text is a module.
  const worker = new Worker(watcher, { eval: true, workerData, execArgv: [] })
  worker.unref()
  const end = () => {
    clearInterval(timer)
    return worker.terminate()
  }
  const beat = () => {
    if (debuggerUrl() === undefined) Atomics.add(beats, 0, 1)
    else void end()
  }
  const timer = setInterval(beat, beatMs)
  timer.unref()
  beat()
  return end
}
