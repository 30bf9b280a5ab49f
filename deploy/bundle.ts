import { createHash } from 'node:crypto'
import { access } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import path from 'node:path'
import { type BuildFailure, build, type Message, type OutputFile, type Plugin } from 'esbuild'
import { StreamError } from '../engine/errors.ts'
import type { JobBundle } from '../engine/runtime/load-job.ts'
import { fileUnreadable } from './file-unreadable.ts'

/**
 * Makes one text of a job file and everything it imports, except `reprise`, which the host binds.
 * Equal sources give an equal text wherever they lie; comments, types and layout do not count. Types are not checked.
 * @param file path of the job file (.ts, .js, .mts, .mjs).
 * @throws StreamError FILE_UNREADABLE, JOB_LOAD_FAILED (details: file, line, column, reason), API_NOT_ALLOWED (details: api, file, line) for imports of Node's modules.
 */
export async function bundleJob(file: string): Promise<JobBundle> {
  const entry = path.resolve(file)
  await access(entry).catch((cause: NodeJS.ErrnoException) => {
    throw fileUnreadable(file, cause)
  })
  try {
    const { outputFiles } = await build({
      entryPoints: [entry],
      absWorkingDir: path.dirname(entry),
      outfile: path.join(path.dirname(entry), 'job.js'),
      write: false,
      bundle: true,
      format: 'cjs',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      conditions: ['import', 'default'],
      target: 'node20',
      // Comments name the folders that packages were found in, so they must not be part of the text.
      minifyWhitespace: true,
      legalComments: 'none',
      charset: 'utf8',
      // The name of a module can't be known before the job runs: such an import becomes a call of our `require`.
      supported: { 'dynamic-import': false },
      define: { 'process.env.NODE_ENV': '"production"' },
      sourcemap: 'external',
      sourcesContent: false,
      logLevel: 'silent',
      plugins: [borders],
    })
    const text = textOf(outputFiles, '.js')
    return {
      name: path.basename(entry),
      text,
      map: textOf(outputFiles, '.map'),
      sha256: createHash('sha256').update(text).digest('hex'),
    }
  } catch (error) {
    throw isBuildFailure(error) ? loadFailed(file, error) : error
  }
}

const builtins = new Set(builtinModules)

/** What is not taken into the bundle: the host's own modules stay outside, Node's are refused. */
const borders: Plugin = {
  name: 'borders',
  setup({ onResolve }) {
    onResolve({ filter: /^reprise(\/|$)/ }, ({ path }) => ({ path, external: true }))
    onResolve({ filter: /./ }, ({ path, kind }) => {
      if (kind === 'entry-point' || !(path.startsWith('node:') || builtins.has(path))) return undefined
      return { errors: [{ text: `${path} is not available to a job`, detail: { api: path } }] }
    })
  },
}

function textOf(files: readonly OutputFile[], ending: string): string {
  return files.find((file) => file.path.endsWith(ending))!.text
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors)
}

function loadFailed(job: string, failure: BuildFailure): StreamError {
  const first: Message | undefined = failure.errors[0]
  const at = { file: first?.location?.file ?? job, line: first?.location?.line, column: first?.location?.column }
  const api: unknown = first?.detail?.api
  if (typeof api === 'string') {
    const fix =
      'a job sees its input only: bring in data through a topic, and do files and network before the log or behind an output topic'
    return new StreamError('API_NOT_ALLOWED', { api, ...at }, { fix })
  }
  const missing = /^Could not resolve "([^"]+)"/.exec(first?.text ?? '')?.[1]
  return new StreamError(
    'JOB_LOAD_FAILED',
    { ...at, reason: first?.text, more: failure.errors.length - 1 || undefined },
    { fix: missing === undefined || /^[./]/.test(missing) ? 'mend the line named' : `npm install ${missing}, or mend the name` },
  )
}
