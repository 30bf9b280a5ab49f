import { assertNever } from '../../assert.ts'
import type { Log, Pin, Producer } from '../../ports/log.ts'
import { answerOf, type LogAnswer, type LogQuestion, type ThreadLine } from './log-calls.ts'

/**
 * Writes to the log for one other thread, which reads it by itself (see ThreadLog).
 * Owns: that thread's producers and pins. Its death is told by `close`: its pins are released; what it was committing takes place or not, as
 * after any crash.
 */
export class LogService {
  private readonly log: Log
  private readonly line: ThreadLine
  private readonly producers = new Map<number, Promise<Producer>>()
  /** Not those refused (their topic went meanwhile) or released: to move or release these again does nothing. */
  private readonly pins = new Map<number, Pin>()
  private readonly hangUp: () => void
  private closed = false

  constructor(log: Log, line: ThreadLine) {
    this.log = log
    this.line = line
    this.hangUp = line.listen((message) => this.take(message as LogQuestion))
  }

  /** Nothing is taken from the line any more. */
  close(): void {
    this.closed = true
    this.hangUp()
    for (const pin of this.pins.values()) pin.release()
    this.pins.clear()
  }

  private take(question: LogQuestion): void {
    if (question.kind !== 'log' || this.closed) return
    const { call } = question
    this.handle(question).then(
      (result) => this.answer({ kind: 'log', call, result }),
      (error: unknown) => this.answer(answerOf(call, error)),
    )
  }

  private answer(answer: LogAnswer): void {
    if (!this.closed) this.line.send(answer)
  }

  /** Up to its first await in the order of the questions: commits reach the log as they were sent. */
  private async handle(question: LogQuestion): Promise<unknown> {
    const { log } = this
    switch (question.op) {
      case 'createTopic':
        return log.createTopic(question.spec)
      case 'setTopic':
        return log.setTopic(question.name, question.change)
      case 'deleteTopic':
        return log.deleteTopic(question.name)
      case 'trim':
        return log.trim(question.topic, question.partition, question.before)
      case 'producer':
        return this.open(question.producer, question.id)
      case 'commit':
        return (await this.producers.get(question.producer)!).commit(question.commit)
      case 'forgetProducer':
        return log.forgetProducer(question.id, question.epoch)
      case 'pin':
        return void this.pins.set(question.pin, log.pin(question.topic, question.partition, question.from))
      case 'movePin':
        return this.pins.get(question.pin)?.move(question.from)
      case 'releasePin':
        this.pins.get(question.pin)?.release()
        return void this.pins.delete(question.pin)
      default:
        return assertNever(question)
    }
  }

  private async open(number: number, id: string): Promise<unknown> {
    const opened = this.log.producer(id)
    this.producers.set(number, opened)
    const { epoch, end } = await opened
    return { epoch, end }
  }
}
