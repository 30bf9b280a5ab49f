import { createHash, type Hash } from 'node:crypto'
import type { Clock } from '../../engine/ports/world.ts'
import type { Random } from '../support/random.ts'

interface Pending {
  readonly label: string
  readonly at: number
  readonly order: number
  readonly fire: () => void
}

/**
 * Decides by seed in which order the world's answers arrive. Everything that would come from outside (a commit's effect, its reply, a timer,
 * a turn of the event loop) waits here as a pending event; one is fired at a time, then all code runs until it waits again.
 * Time moves only when nothing else is pending, or when the seed says so.
 */
export class Scheduler implements Clock {
  private readonly random: Random
  private readonly pending: Pending[] = []
  private readonly traceHash: Hash = createHash('sha256')
  private time: number
  private order = 0
  steps = 0
  /** The last events, for a failure's report. */
  readonly recent: string[] = []
  /** Called before each event: crashes and other strokes of fate come here. */
  onStep: ((step: number) => void) | undefined = undefined
  private readonly punctual: boolean

  /** @param punctual time goes no further while somebody's time has come: who waits for a deadline is not passed over. */
  constructor(random: Random, startAt = 1_700_000_000_000, punctual = false) {
    this.random = random
    this.time = startAt
    this.punctual = punctual
  }

  now(): number {
    return this.time
  }

  monotonic(): number {
    return this.time - 1_700_000_000_000
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const event = this.push('timer', this.time + ms, () => {
        signal?.removeEventListener('abort', wake)
        resolve()
      })
      const wake = () => {
        const i = this.pending.indexOf(event)
        if (i >= 0) this.pending.splice(i, 1)
        resolve()
      }
      signal?.addEventListener('abort', wake, { once: true })
    })
  }

  yield(): Promise<void> {
    return this.arrival('turn')
  }

  /** Resolves when the seed chooses it. */
  arrival(label: string): Promise<void> {
    return new Promise((resolve) => this.push(label, 0, resolve))
  }

  /** Adds to the trace what happened beside the scheduler's own choices. */
  note(text: string): void {
    this.traceHash.update(`${text}\n`)
    this.recent.push(text)
    if (this.recent.length > 200) this.recent.shift()
  }

  /** Fires one pending event and runs until all wait again. @returns false when nothing was pending. */
  async step(): Promise<boolean> {
    if (this.pending.length === 0) await settle()
    const due = this.pending.filter(({ at }) => at <= this.time)
    const held = this.punctual && due.some(({ at }) => at > 0)
    const ready = due.length > 0 && !(this.pending.length > due.length && this.random.next() < 0.05 && !held) ? due : this.nextTimers()
    if (ready.length === 0) return false
    const event = ready[Math.floor(this.random.next() * ready.length)]!
    this.pending.splice(this.pending.indexOf(event), 1)
    if (event.at > this.time) this.time = event.at
    this.steps++
    this.note(`${this.steps} ${event.label} @${this.time}`)
    this.onStep?.(this.steps)
    event.fire()
    await settle()
    return true
  }

  /** Drives the world until `done` settles. Fails when nothing is pending before, or after `stepsMax`. */
  async drive<T>(done: Promise<T>, stepsMax = 200_000): Promise<T> {
    let over = false
    const mark = () => {
      over = true
    }
    done.then(mark, mark)
    await settle()
    for (let i = 0; !over; i++) {
      if (i > stepsMax) throw new Error(`not over after ${stepsMax} steps`)
      if (!(await this.step()) && !over) throw new Error('stuck: nothing is pending')
    }
    return done
  }

  /** Hash over all that happened. */
  trace(): string {
    return this.traceHash.copy().digest('hex').slice(0, 16)
  }

  private nextTimers(): Pending[] {
    const timers = this.pending.filter(({ at }) => at > this.time)
    if (timers.length === 0) return this.pending.filter(({ at }) => at <= this.time)
    const next = Math.min(...timers.map(({ at }) => at))
    return timers.filter(({ at }) => at === next)
  }

  private push(label: string, at: number, fire: () => void): Pending {
    const event = { label, at, order: this.order++, fire }
    this.pending.push(event)
    return event
  }
}

/** All promise work there is has run: one turn of the real event loop drains every microtask. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
