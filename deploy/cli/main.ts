#!/usr/bin/env node
import { runProgram } from './program.ts'
import { processTerminal } from './terminal.ts'

// Job code sees dates of its own, in UTC; this is for what code of the host makes of them.
process.env.TZ = 'UTC'
// Stack traces name the lines of job files.
process.setSourceMapsEnabled(true)
// The reader went away (`reprise ... | head`): there is nobody left to tell.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
// Whoever read the messages went away: that is no reason to stop.
process.stderr.on('error', () => {})

process.exitCode = await runProgram(process.argv.slice(2), processTerminal())
