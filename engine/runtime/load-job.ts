import { StreamError } from '../errors.ts'
import type { Topology } from '../model/topology.ts'
import type { Logger } from '../ports/world.ts'
import { notAllowed } from './sandbox/denied.ts'
import { evaluate, jobGlobals } from './sandbox/job-globals.ts'
import type { JobPresent } from './sandbox/job-present.ts'

/** A job file and what it imports, as one text. */
export interface JobBundle {
  /** File name of the job, for messages. */
  readonly name: string
  /** A CommonJS module that requires nothing but `reprise`. */
  readonly text: string
  /** Its source map, as JSON; used for stack traces only. */
  readonly map: string
  /** Of the text: the identity of the version. */
  readonly sha256: string
}

export interface JobHost {
  /** What the job's imports of `reprise` and `reprise/...` are bound to, by that name. */
  readonly modules: Readonly<Record<string, object>>
  /** The time and the random numbers job code sees; the task that runs the job sets them. */
  readonly present: JobPresent
  readonly logger: Logger
  /** Directory URL that the names in stack traces are relative to. */
  readonly sourceRoot?: string
}

/**
 * Evaluates a bundle and gives back its default export: a new instance at each call, so that module-level state belongs to one task.
 * No global of the process is changed: the names are bound for the bundle alone (see sandbox/job-globals.ts).
 * @throws StreamError JOB_LOAD_FAILED (details: job, reason), JOB_INVALID when the default export is not a job, API_NOT_ALLOWED.
 */
export function loadJob(bundle: JobBundle, host: JobHost): Topology {
  const module = { exports: {} as Record<string, unknown> }
  try {
    const { bound } = jobGlobals(host.present, host.logger)
    const run = evaluate(bound, programOf(bundle, host.sourceRoot ?? 'file:///')) as (...names: unknown[]) => void
    run(module, module.exports, requireFrom(host.modules))
  } catch (cause) {
    if (cause instanceof StreamError) throw cause
    throw new StreamError(
      'JOB_LOAD_FAILED',
      { job: bundle.name, reason: String(cause) },
      { cause, fix: 'the file is run when it is loaded: mend the line named' },
    )
  }
  return jobOf(module.exports, bundle.name)
}

function jobOf(exports: Record<string, unknown>, name: string): Topology {
  const job = exports.default
  if (isTopology(job)) return job
  const reason = job === undefined ? 'there is no default export' : 'the default export is not a job'
  throw new StreamError('JOB_INVALID', { job: name, reason, exports: Object.keys(exports) }, { fix: 'export default defineJob(...)' })
}

/** By its form, not by its class: the job may have been built by another copy of the package. */
function isTopology(value: unknown): value is Topology {
  return (
    typeof value === 'object' &&
    value !== null &&
    'job' in value &&
    typeof value.job === 'string' &&
    'nodes' in value &&
    Array.isArray(value.nodes)
  )
}

function requireFrom(modules: Readonly<Record<string, object>>): (name: string) => object {
  return (name) => {
    const found = modules[name]
    if (found !== undefined) return found
    if (/^reprise(\/|$)/.test(name)) {
      throw new StreamError('JOB_LOAD_FAILED', { reason: `there is no ${name}` }, { fix: `import from ${Object.keys(modules).join(', ')}` })
    }
    throw notAllowed(`import('${name}')`)
  }
}

// `Function` puts two lines before its body, and the first line of the body is ours.
const linesBefore = ';;;'

/** Strict mode, so that `this` is never the real global object; the names are bound outside of it, where also `eval` may be one. */
function programOf({ text, map, name }: JobBundle, sourceRoot: string): string {
  const { mappings, ...rest } = JSON.parse(map) as { mappings: string }
  const shifted = Buffer.from(JSON.stringify({ ...rest, mappings: linesBefore + mappings })).toString('base64')
  const url = new URL(`${name}.bundle`, sourceRoot).href
  return `return function (module, exports, require) {'use strict';\n${text}\n}\n//# sourceMappingURL=data:application/json;base64,${shifted}\n//# sourceURL=${url}`
}
