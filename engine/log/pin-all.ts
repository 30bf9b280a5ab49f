import type { Log, Pin } from '../ports/log.ts'

/** Keeps all there is of a partition, for whoever does not know yet how little it needs. TOPIC_UNKNOWN. */
export function pinAll(log: Pick<Log, 'pin' | 'bounds'>, topic: string, partition: number): Pin {
  return log.pin(topic, partition, log.bounds(topic, partition).start)
}
