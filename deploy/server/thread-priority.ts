import { getPriority, platform, setPriority } from 'node:os'

// Linux has a priority for each thread, and takes 0 for the one that calls. Elsewhere it would be the whole process's.
const ofThreads = platform() === 'linux'
const self = 0

/** One in front gets three times as much of a core that both want; what is left over is all for who is behind. */
const steps = 5
const lowest = 19

/** Puts this thread behind the others of the process, for good. */
export function stayBehind(): void {
  if (ofThreads) setPriority(self, behind(getPriority(self), steps))
}

/** Lets this thread stand behind the others of the process, and come back, where the system allows it. */
export class ThreadPriority {
  /** Whether it may come back: without the right to it, it could only fall behind. */
  readonly adjustable = ofThreads && comesBack()
  private readonly front = getPriority(self)
  private isBehind = false

  setBehind(wanted: boolean): void {
    if (!this.adjustable || wanted === this.isBehind) return
    setPriority(self, wanted ? behind(this.front, steps) : this.front)
    this.isBehind = wanted
  }
}

/** Tried with the least of steps: where there is no way back, that one makes no difference. */
function comesBack(): boolean {
  const front = getPriority(self)
  setPriority(self, behind(front, 1))
  try {
    setPriority(self, front)
    return true
  } catch {
    return false
  }
}

const behind = (front: number, by: number): number => Math.min(lowest, front + by)
