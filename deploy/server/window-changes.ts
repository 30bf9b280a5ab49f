import type { WindowEnds } from '../../engine/model/topology.ts'
import type { Described } from '../cli/describe-text.ts'

/** A window as it cuts time. */
export interface Window {
  readonly name: string
  /** `tumbling 1d, allowed lateness 1h`. */
  readonly cuts: string
  readonly ends: WindowEnds | undefined
}

/** What cuts time in another way. */
export interface WindowChange {
  /** In words: which, and how. */
  readonly what: string
  /** There are times at which the change makes no difference: common ends of these. */
  readonly ends: { readonly before: WindowEnds; readonly after: WindowEnds } | undefined
}

/** All windows on the way to a topic that is written. Pure. */
export function windowsBehind({ nodes }: Described, topic: string): Window[] {
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const way = new Set(nodes.filter((node) => node.kind === 'sink' && node.topic === topic).map(({ name }) => name))
  // Grows while it is walked.
  for (const name of way) for (const input of byName.get(name)!.inputs) way.add(input)
  return nodes
    .filter(({ name, type }) => type === 'window' && way.has(name))
    .map(({ name, detail, windowEnds }) => ({ name, cuts: detail.split(': ')[0]!, ends: windowEnds }))
}

/** A window stands for the one of its name, else for one that cuts time alike, else for any that is left. Pure. */
export function changesBetween(before: readonly Window[], after: readonly Window[]): WindowChange[] {
  const left = [...after]
  const stands = new Map<Window, Window>()
  for (const alike of likenesses) {
    for (const old of before) {
      if (stands.has(old)) continue
      const at = left.findIndex((now) => alike(old, now))
      if (at >= 0) stands.set(old, left.splice(at, 1)[0]!)
    }
  }
  return [...before.flatMap((old) => changeOf(old, stands.get(old))), ...left.flatMap((now) => changeOf(undefined, now))]
}

const likenesses: readonly ((old: Window, now: Window) => boolean)[] = [
  (old, now) => old.name === now.name,
  (old, now) => old.cuts === now.cuts,
  () => true,
]

function changeOf(old: Window | undefined, now: Window | undefined): WindowChange[] {
  if (old?.cuts === now?.cuts) return []
  const name = old === undefined || now === undefined || old.name === now.name ? '' : `${now.name}: `
  const what = `${(old ?? now)!.name}: ${old?.cuts ?? 'no window'} → ${name}${now?.cuts ?? 'no window'}`
  const [before, after] = [old?.ends, now?.ends]
  return [{ what, ends: before !== undefined && after?.time === before.time ? { before, after } : undefined }]
}
