import { StreamError } from '../engine/errors.ts'

/**
 * Refuses names that Kafka has no topics for, and those that are kept for a version's own topics (`delays.v2`, `delays.v2.journal`).
 * Errors: TOPIC_NAME_INVALID.
 */
export function checkTopicName(name: unknown): asserts name is string {
  if (typeof name !== 'string' || !/^[a-zA-Z0-9._-]{1,249}$/.test(name) || name === '.' || name === '..') {
    throw nameInvalid(
      name,
      'a topic name has 1 to 249 of the characters a-z A-Z 0-9 . _ -',
      "choose another name, like 'orders' or 'shop.orders'",
    )
  }
  if (/\.v\d+(\.|$)/.test(name)) {
    throw nameInvalid(
      name,
      "'.v' and digits mark the private topics of a job's versions",
      `write the number in another way, like '${name.replace(/\.v(\d+)/g, '-v$1')}'`,
    )
  }
}

function nameInvalid(name: unknown, reason: string, fix: string): StreamError {
  return new StreamError('TOPIC_NAME_INVALID', { topic: String(name), reason }, { fix })
}
