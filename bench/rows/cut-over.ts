import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { bundleOf, caughtUp, deploy, sendBids, startServer, withOtherText } from '../bench-server.ts'
import { bidsTopic } from '../bids-topic.ts'
import { now } from '../gc-pauses.ts'
import type { Row, RowContext, RowResult } from '../row.ts'
import { quantile } from '../statistics.ts'

const perSecond = 2000
const cutOvers = 100
const limits = { gapP50Ms: 100, gapP99Ms: 500, rollbackP99Ms: 1000 }

/**
 * Two versions of q12 take turns while bids come in: how long the public output stands still at most (from asking for the hold until the decision is
 * durable), and how long a promotion or roll-back takes in all. Server, both versions' threads and the sender share the row's core.
 */
export const cutOver: Row = {
  name: 'cut-over',
  about: `${cutOvers} switches between two versions at ${perSecond} records/s`,
  records: cutOvers,
  input: { kind: 'none' },
  run: measure,
}

async function measure({ workDir }: RowContext): Promise<RowResult> {
  const server = await startServer(join(workDir, 'cut-over'), perSecond)
  const stop = new AbortController()
  await server.log.createTopic({ name: bidsTopic, partitions: 1, kind: 'stream' })
  const sending = sendBids(server.log, perSecond, stop.signal)
  const first = await bundleOf('q12-event-time')
  const controller = await deploy(server, first)
  await deploy(server, withOtherText(first))
  await caughtUp(controller, 2)
  const gapMs: number[] = []
  const promotionMs: number[] = []
  const rollbackMs: number[] = []
  for (let i = 0; i < cutOvers; i++) {
    await sleep(50)
    const from = now()
    const back = i % 2 === 1
    const { heldMs } = await controller.switching.promote({ version: back ? 1 : 2, force: true, asked: {} })
    ;(back ? rollbackMs : promotionMs).push(now() - from)
    gapMs.push(heldMs!)
  }
  stop.abort()
  await sending
  await server.close()
  const values = {
    gapP50Ms: quantile(gapMs, 0.5),
    gapP99Ms: quantile(gapMs, 0.99),
    promotionP99Ms: quantile(promotionMs, 0.99),
    rollbackP99Ms: quantile(rollbackMs, 0.99),
  }
  const missed = (Object.keys(limits) as (keyof typeof limits)[]).filter((name) => !(values[name] <= limits[name]))
  return { values, missed: missed.map((name) => `${name} ${values[name].toFixed(1)} > ${limits[name]}`) }
}
