import type { Row } from './row.ts'
import { besideReplay } from './rows/beside-replay.ts'
import { checkpointGap } from './rows/checkpoint-gap.ts'
import { cutOver } from './rows/cut-over.ts'
import { latency } from './rows/latency.ts'
import { memorySlope } from './rows/memory-slope.ts'
import { queryRows } from './rows/query.ts'
import { spill } from './rows/spill.ts'

/** All rows, in the order they are run and shown. */
export const rows: readonly Row[] = [...queryRows, latency, checkpointGap, memorySlope, spill, cutOver, besideReplay]
