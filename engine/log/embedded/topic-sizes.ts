import type { Catalog } from './catalog.ts'

/** Bytes of the blocks of each topic, by name: in segments as the list has it, in log files as they are indexed. Reads no file. */
export function topicSizes({ topics, segments }: Pick<Catalog, 'topics' | 'segments'>): Map<string, number> {
  const bytes = new Map<number, number>()
  const add = (topic: number, more: number) => void bytes.set(topic, (bytes.get(topic) ?? 0) + more)
  for (const { ranges } of segments.values()) for (const range of ranges) add(range.topic, range.bytes)
  for (const [id, { partitions }] of topics)
    for (const { index } of partitions) for (const { table } of index.all()) add(id, table?.bytes ?? 0)
  return new Map([...topics].map(([id, { info }]) => [info.name, bytes.get(id) ?? 0]))
}
