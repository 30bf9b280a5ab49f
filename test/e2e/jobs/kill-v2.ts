import { defineJob } from 'reprise'
import { build } from './kill-topology.ts'

/** Other code with the same results: whoever publishes, readers find the same. */
export default defineJob('kill', { onBad: 'deadLetter' }, (job) => build(job, (event) => event.key))
