import type { Chunk } from '../../engine/block/block-view.ts'
import { StreamError } from '../../engine/errors.ts'
import type { Offset } from '../../engine/model/record.ts'
import type { Commit, Committed, Log, LogReader, Producer } from '../../engine/ports/log.ts'
import { PassThroughLog } from './pass-through-log.ts'
import { Random } from './random.ts'

/** How often each fault happens, 0 to 1. */
export interface FaultRates {
  /** LOG_UNAVAILABLE, the commit did not take place. */
  readonly commitRefused: number
  /** COMMIT_OUTCOME_UNKNOWN, the commit took place. */
  readonly answerLost: number
  /** COMMIT_OUTCOME_UNKNOWN, the commit did not take place. */
  readonly commitLost: number
  /** LOG_UNAVAILABLE on opening a producer; every other time it fenced the older holders all the same. */
  readonly openFailed: number
  /** LOG_UNAVAILABLE on a read; the next may succeed. */
  readonly readFailed: number
}

export const someFaults: FaultRates = { commitRefused: 0.1, answerLost: 0.1, commitLost: 0.1, openFailed: 0.1, readFailed: 0.1 }
export const noFaults: FaultRates = { commitRefused: 0, answerLost: 0, commitLost: 0, openFailed: 0, readFailed: 0 }

export interface FaultyLogOptions {
  readonly seed: number
  readonly rates?: FaultRates
  /** Awaited before and after whatever waits: the delays. By default some turns of the microtask queue. */
  readonly pause?: (random: Random) => Promise<void>
}

/** Any log with faults that the port allows, drawn from a seed. Whatever the log itself refuses stays refused as it was. */
export class FaultyLog extends PassThroughLog {
  /** May be changed at any time, to `noFaults` for a calm end. */
  rates: FaultRates
  /** Faults so far: a test that saw none tested nothing. */
  faults = 0
  private readonly random: Random
  private readonly pauseWith: (random: Random) => Promise<void>

  constructor(inner: Log, { seed, rates = someFaults, pause = someTurns }: FaultyLogOptions) {
    super(inner)
    this.rates = rates
    this.random = new Random(seed)
    this.pauseWith = pause
  }

  override async producer(id: string): Promise<Producer> {
    await this.pause()
    if (this.strikes('openFailed')) {
      if (this.random.chance(0.5)) await this.inner.producer(id)
      throw unavailable()
    }
    const producer = await this.inner.producer(id)
    await this.pause()
    let turn = Promise.resolve()
    const commit = (commit: Commit): Promise<Committed> => {
      // Delays may not change the order in which commits are sent.
      turn = turn.then(() => this.pause())
      return turn.then(() => this.attempt(producer, commit))
    }
    return { id, epoch: producer.epoch, end: producer.end, commit }
  }

  override reader(topic: string, partition: number, from: Offset): LogReader {
    const reader = this.inner.reader(topic, partition, from)
    const read = async (bytesMax: number): Promise<Chunk | null> => {
      await this.pause()
      if (this.strikes('readFailed')) throw unavailable()
      return reader.read(bytesMax)
    }
    return {
      get position() {
        return reader.position
      },
      read,
      close: () => reader.close(),
    }
  }

  private async attempt(producer: Producer, commit: Commit): Promise<Committed> {
    if (this.strikes('commitRefused')) throw unavailable()
    if (this.strikes('commitLost')) throw new StreamError('COMMIT_OUTCOME_UNKNOWN', { injected: true })
    const answerLost = this.strikes('answerLost')
    const committed = await producer.commit(commit)
    await this.pause()
    if (answerLost) throw new StreamError('COMMIT_OUTCOME_UNKNOWN', { injected: true })
    return committed
  }

  private strikes(fault: keyof FaultRates): boolean {
    const strikes = this.random.chance(this.rates[fault])
    if (strikes) this.faults++
    return strikes
  }

  private pause(): Promise<void> {
    return this.pauseWith(this.random)
  }
}

function unavailable(): StreamError {
  return new StreamError('LOG_UNAVAILABLE', { injected: true })
}

async function someTurns(random: Random): Promise<void> {
  for (let turns = random.int(8); turns > 0; turns--) await undefined
}
