/** By topic, then by number: `flights/2` before `flights/10`. What a version tells comes in the order of its tasks. */
export const partitionOrder = new Intl.Collator('en', { numeric: true }).compare
