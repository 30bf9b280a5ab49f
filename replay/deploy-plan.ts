/** One line of a plan: what becomes of an operator, a store, a source or an output. */
export interface Change {
  readonly change: 'added' | 'removed' | 'changed' | 'same'
  readonly what: 'operator' | 'store' | 'source' | 'output'
  readonly name: string
  readonly detail: string
}

/** A part of a topology as it is compared: equal texts, equal parts. */
export interface Part {
  readonly what: Change['what']
  readonly name: string
  readonly text: string
  readonly detail: string
}

/** Parts by kind and name, in the order of the new version, then what it lacks. Pure. */
export function changesOf(before: readonly Part[], after: readonly Part[]): Change[] {
  const keyOf = ({ what, name }: Part) => `${what} ${name}`
  const old = new Map(before.map((part) => [keyOf(part), part]))
  const changes = after.map((part): Change => {
    const known = old.get(keyOf(part))
    old.delete(keyOf(part))
    const change = known === undefined ? 'added' : known.text === part.text ? 'same' : 'changed'
    const { what, name, detail } = part
    return { change, what, name, detail: change === 'changed' && known!.detail !== detail ? `${known!.detail} → ${detail}` : detail }
  })
  for (const { what, name, detail } of old.values()) changes.push({ change: 'removed', what, name, detail })
  return changes
}
