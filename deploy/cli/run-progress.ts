import type { Terminal } from './terminal.ts'

const linesEveryMs = 5000
const drawEveryMs = 100

/**
 * How far a run is: a bar with rate and time left where a person looks, a plain line every few seconds in a pipe.
 * Writes to standard error; nothing for runs of less than a second.
 */
export class RunProgress {
  private readonly terminal: Terminal
  private readonly quiet: boolean
  private readonly total: () => number
  private readonly startedAt = performance.now()
  private drawnAt = performance.now()
  private drawn = false
  private first: { records: number; at: number } | undefined = undefined

  /** @param options.total records there are to process, asked for at each drawing. */
  constructor(terminal: Terminal, options: { quiet: boolean; total: () => number }) {
    this.terminal = terminal
    this.quiet = options.quiet
    this.total = options.total
  }

  /** @param share of the file that was read; undefined where its size is not known. */
  taken(topic: string, records: number, share: number | undefined): void {
    this.draw(() => `taking in ${topic}  ${share === undefined ? '' : this.shareText(share)}${count(records)} records`)
  }

  processed(records: number): void {
    this.first ??= { records, at: performance.now() }
    this.draw(() => this.processedLine(records))
  }

  end(): void {
    if (this.drawn && this.terminal.err.live) this.terminal.err.write('\r\x1b[K')
  }

  private processedLine(records: number): string {
    const { first } = this
    const total = this.total()
    const seconds = (performance.now() - first!.at) / 1000
    const rate = seconds > 0 ? (records - first!.records) / seconds : 0
    const left = records >= total ? 'all there is' : rate > 0 ? `${Math.ceil((total - records) / rate)}s left` : 'computing time left'
    const share = total === 0 ? 1 : Math.min(1, records / total)
    return `${this.shareText(share)}${count(records)} / ${count(total)}  ${count(Math.round(rate))} records/s  ${left}`
  }

  private shareText(share: number): string {
    const bar = this.terminal.err.live ? `${'█'.repeat(Math.round(share * 24)).padEnd(24, '░')}  ` : ''
    return `${bar}${(share * 100).toFixed(1)}%  `
  }

  private draw(line: () => string): void {
    const now = performance.now()
    const { live, columns } = this.terminal.err
    if (this.quiet || now - this.startedAt < 1000 || now - this.drawnAt < (live ? drawEveryMs : linesEveryMs)) return
    this.drawnAt = now
    this.drawn = true
    this.terminal.err.write(live ? `\r\x1b[K${line().slice(0, columns - 1)}` : `${line()}\n`)
  }
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}
