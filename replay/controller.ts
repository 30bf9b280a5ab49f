import type { EpochMs } from '../engine/model/record.ts'
import { alive, type ControlState } from './control-state.ts'

/** What is to be done about one version; each is harmless when done again. */
export type Action =
  | { readonly do: 'start' | 'stop' | 'clean' | 'retire' | 'promote' | 'expire'; readonly version: number }
  /** Whoever asked for the hold is gone. */
  | { readonly do: 'abortHold'; readonly id: string }

export interface ControllerFacts {
  readonly control: ControlState
  /** Versions with a thread. */
  readonly running: ReadonlySet<number>
  /** Versions of which nothing is left. */
  readonly cleaned: ReadonlySet<number>
  /** Candidates that are to take over by themselves and meet all conditions; judged for these versions only. */
  readonly ready: readonly number[]
  /** Candidates that had as long as they may take to catch up. */
  readonly overdue: readonly number[]
  /** A cut-over is being carried out by this leader. */
  readonly cuttingOver: boolean
  readonly now: EpochMs
  /** How long a version that published before runs on, so that the way back is instant. */
  readonly bakeMs: number
}

/** Compares what is with what was decided. Pure; the order is the order to act in. */
export function step({ control, running, cleaned, ready, overdue, cuttingOver, now, bakeMs }: ControllerFacts): Action[] {
  const actions: Action[] = []
  const { hold } = control
  if (hold !== undefined && !cuttingOver) actions.push({ do: 'abortHold', id: hold.id })
  for (const state of control.versions.values()) {
    const { version, role, roleSince, health } = state
    // One that stopped comes back for a hold only: it recovers, stands still, and takes nothing more.
    const wanted = alive(state) && (health !== 'stopped' || hold?.from === version)
    if (wanted && !running.has(version)) actions.push({ do: 'start', version })
    if (!wanted && running.has(version)) actions.push({ do: 'stop', version })
    if (!alive(state) && !running.has(version) && !cleaned.has(version)) actions.push({ do: 'clean', version })
    if (role === 'standby' && now - roleSince >= bakeMs && hold === undefined) actions.push({ do: 'retire', version })
  }
  for (const version of overdue) actions.push({ do: 'expire', version })
  const next = ready.at(-1)
  if (next !== undefined && hold === undefined && !cuttingOver) actions.push({ do: 'promote', version: next })
  return actions
}
