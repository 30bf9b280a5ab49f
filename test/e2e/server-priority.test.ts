import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ThreadPriority } from '../../deploy/server/thread-priority.ts'
import { persistently } from './server-process.ts'
import { numbers, serverUnderTest, stateless } from './server-under-test.ts'

const { server, send, deploy, caughtUp, promote } = await serverUnderTest()

const { adjustable } = new ThreadPriority()
const what = 'the thread of a version stands behind the others until it publishes'

if (!adjustable) console.warn(`SKIPPED: ${what}: threads may not change their priority here`)

test.skipIf(!adjustable)(what, { timeout: 60_000 }, async () => {
  await send('prior', numbers(0, 10))
  await deploy(stateless('prior', 'false'), { createTopics: true })
  await caughtUp('prior', 1)
  expect(await behind(0)).toEqual([])
  await deploy(stateless('prior', 'n < 0'))
  await caughtUp('prior', 2)
  const [candidate] = await behind(1)
  await promote('prior', 2)
  const [standby] = await persistently(async () => {
    const now = await behind(1)
    if (now[0] === candidate) throw new Error('it publishes and stands behind')
    return now
  }, 10_000)
  await promote('prior', 1)
  await persistently(async () => expect(await behind(1)).toEqual([candidate]), 10_000)
  expect(standby).not.toBe(candidate)
})

/** The server's threads with a lower priority than the others, when there are so many: one that loads a bundle goes again. */
function behind(count: number): Promise<string[]> {
  return persistently(async () => {
    const found = readdirSync(`/proc/${server.pid}/task`).filter((thread) => niceOf(thread) > niceOf(String(server.pid)))
    if (found.length !== count) throw new Error(`${found.length} threads stand behind`)
    return found
  }, 10_000)
}

/** The 19th field; the second one, the name, may have spaces. Source: proc_pid_stat(5). */
function niceOf(thread: string): number {
  const stat = readFileSync(`/proc/${server.pid}/task/${thread}/stat`, 'utf8')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])
}
