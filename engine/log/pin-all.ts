import type { Log, Pin } from '../ports/log.ts'

type Pinning = Pick<Log, 'pin' | 'bounds'>

/** Keeps all there is of a partition, for whoever does not know yet how little it needs. TOPIC_UNKNOWN. */
export function pinAll(log: Pinning, topic: string, partition: number): Pin {
  return log.pin(topic, partition, log.bounds(topic, partition).start)
}

/** The same of several, while nobody reads them. @returns what lets them go. TOPIC_UNKNOWN. */
export function keepAll(log: Pinning, partitions: readonly { readonly topic: string; readonly partition: number }[]): () => void {
  const pins = partitions.map(({ topic, partition }) => pinAll(log, topic, partition))
  return () => {
    for (const pin of pins) pin.release()
  }
}
