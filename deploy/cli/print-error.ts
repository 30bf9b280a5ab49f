import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { AssertionError } from '../../engine/assert.ts'
import { errorTable, StreamError } from '../../engine/errors.ts'
import { packageFolder } from '../package-version.ts'
import { onItsLines } from './record-fields.ts'
import type { Output, Paint } from './terminal.ts'

export interface ErrorStyle {
  readonly json: boolean | undefined
  /** Stack traces too. */
  readonly verbose: boolean | undefined
  readonly paint: Paint
}

/**
 * An error as a person (or, with `json`, a program) reads it:
 *
 *     error TOPIC_UNKNOWN: there is no such topic
 *       why   topic: flihgts
 *       fix   reprise topics lists what there is
 *       docs  docs/errors/TOPIC_UNKNOWN.md
 */
export function printError(output: Output, error: unknown, style: ErrorStyle): void {
  output.write(errorMessage(error, style))
}

export function errorMessage(error: unknown, style: ErrorStyle): string {
  return style.json ? `${JSON.stringify({ error: errorFields(error) })}\n` : errorText(error, style)
}

function errorFields(error: unknown): object {
  if (!(error instanceof StreamError)) return { message: messageOf(error) }
  const { code, retry, details, fix } = error
  return { code, text: errorTable[code].text, retry, details, fix, docs: docsOf(error), cause: causesOf(error) }
}

function errorText(error: unknown, { verbose, paint }: ErrorStyle): string {
  const lines =
    error instanceof StreamError
      ? [
          `${paint('red', `error ${error.code}`)}: ${errorTable[error.code].text}`,
          ...part('why', detailsText(error)),
          ...errorsIn(error).flatMap((one) => part('', one)),
          ...causesOf(error).flatMap((cause) => part('', cause)),
          ...part('fix', error.fix),
          ...part('docs', docsOf(error)),
        ]
      : [
          `${paint('red', 'error')}: ${onItsLines(messageOf(error))}`,
          ...(error instanceof AssertionError ? part('why', 'this is a mistake in Reprise itself') : []),
        ]
  if (verbose) for (let at: unknown = error; at instanceof Error; at = at.cause) lines.push(at.stack ?? String(at))
  return `${lines.join('\n')}\n`
}

function part(name: string, text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : [`  ${name.padEnd(5)} ${onItsLines(text)}`]
}

/** A list of errors, each with its place: they are read line by line. */
function errorsIn({ details: { errors } }: StreamError): readonly string[] {
  return Array.isArray(errors) ? errors.map(String) : []
}

function detailsText({ details }: StreamError): string {
  const shown = Object.entries(details).filter(([name, value]) => value !== undefined && !(name === 'errors' && Array.isArray(value)))
  return shown.map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`).join(', ')
}

/** A path that can be opened from here. */
function docsOf(error: StreamError): string {
  const page = `docs/errors/${error.code}.md`
  const folder = packageFolder()
  return folder === undefined ? page : path.relative('', path.join(fileURLToPath(folder), page))
}

/** First lines of the causes, with the place in the job's file where there is one. */
function causesOf(error: Error): string[] {
  const { cause } = error
  if (!(cause instanceof Error)) return cause === undefined ? [] : [String(cause)]
  const place = cause.stack?.split('\n').find((line) => /^\s+at .*\.[cm]?[jt]s:\d+/.test(line) && !ours.test(line))
  return [`${messageOf(cause).split('\n')[0]!}${place === undefined ? '' : ` (${place.trim()})`}`, ...causesOf(cause)]
}

/** Lines of a stack that are not the job's: Reprise's own and those of packages. */
const ours = /node_modules|\/(engine|operators|state|replay|deploy)\/[a-z-]+[./]/

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name === 'Error' ? '' : `${error.name}: `}${error.message}` : String(error)
}
