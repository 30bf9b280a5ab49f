/** Above this, a version's partitions are shown together. */
export const partitionsShownMax = 200

/**
 * The label of a partition of a version that reads so many: its number, or the word for what is shown of all of a topic. Pure.
 * @param together what is shown where there are too many to show each.
 */
export function partitionLabel(partition: number, partitions: number, together: 'max' | 'sum'): string {
  return partitions > partitionsShownMax ? together : String(partition)
}
