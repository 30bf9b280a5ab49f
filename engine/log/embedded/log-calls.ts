import { AssertionError } from '../../assert.ts'
import { type ErrorFacts, errorOf, factsOf, StreamError } from '../../errors.ts'
import type { Offset } from '../../model/record.ts'
import type { Commit, KeepChange, TopicSpec } from '../../ports/log.ts'

/** One end of a line between two threads; messages are cloned and arrive in the order sent. */
export interface ThreadLine {
  send(message: unknown): void
  /** @returns what ends the listening. */
  listen(listener: (message: unknown) => void): () => void
}

/** What a thread asks of the log's writer. Producers and pins go by numbers the thread gives them. */
export type LogCall =
  | { readonly op: 'createTopic'; readonly spec: TopicSpec }
  | { readonly op: 'setTopic'; readonly name: string; readonly change: KeepChange }
  | { readonly op: 'deleteTopic'; readonly name: string }
  | { readonly op: 'trim'; readonly topic: string; readonly partition: number; readonly before: Offset }
  | { readonly op: 'producer'; readonly producer: number; readonly id: string }
  | { readonly op: 'commit'; readonly producer: number; readonly commit: Commit }
  | { readonly op: 'forgetProducer'; readonly id: string; readonly epoch: number }
  | { readonly op: 'pin'; readonly pin: number; readonly topic: string; readonly partition: number; readonly from: Offset }
  | { readonly op: 'movePin'; readonly pin: number; readonly from: Offset }
  | { readonly op: 'releasePin'; readonly pin: number }

/** `call`: what the answer is to. */
export type LogQuestion = { readonly kind: 'log'; readonly call: number } & LogCall

export type LogAnswer = { readonly kind: 'log'; readonly call: number } & (
  | { readonly result: unknown }
  | { readonly refused: ErrorFacts }
  | { readonly broken: string }
)

/** An error as it goes over the line: a fact of life stays one, all else is a mistake of ours. */
export function answerOf(call: number, error: unknown): LogAnswer {
  if (error instanceof StreamError) return { kind: 'log', call, refused: factsOf(error) }
  return { kind: 'log', call, broken: error instanceof Error ? error.message : String(error) }
}

export function failureOf(answer: Exclude<LogAnswer, { readonly result: unknown }>): Error {
  return 'broken' in answer ? new AssertionError(answer.broken) : errorOf(answer.refused)
}
