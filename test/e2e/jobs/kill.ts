import { defineJob } from 'reprise'
import { build } from './kill-topology.ts'

export default defineJob('kill', { onBad: 'deadLetter' }, (job) => build(job, ({ key }) => key))
