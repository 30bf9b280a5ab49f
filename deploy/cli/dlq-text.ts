import { jsonText } from '../json-text.ts'
import type { LetterFields } from '../letter-fields.ts'
import { onItsLines, onOneLine } from './record-fields.ts'
import { table } from './verb.ts'

const messageCharactersMax = 80

/** A row of the list; the message cut to one line. */
export function lineText(letter: LetterFields, withState: boolean): string[] {
  const { id, state, code, path, message, operator, setAsideAt } = letter
  const line = onOneLine(message.split('\n')[0]!)
  const shown = line.length > messageCharactersMax ? `${line.slice(0, messageCharactersMax - 1)}…` : line
  return [String(id), placeText(letter), code, onOneLine(path), operator, setAsideAt ?? '–', ...(withState ? [state] : []), shown]
}

export function wholeText(letter: LetterFields): string {
  const { id, state, decidedAt, code, path, message, operator, original, sourceValue, setAsideAt, eventTime, key, value, headers } = letter
  return table([
    ['id', String(id)],
    ['state', decidedAt === undefined ? state : `${state} ${decidedAt}`],
    ['source', placeText(letter)],
    ['error', code],
    ['field', onOneLine(path)],
    ['operator', operator],
    ['message', onItsLines(message)],
    ['set aside', setAsideAt ?? '–'],
    ['event time', eventTime ?? '–'],
    ['key', text(key)],
    ...headers.map(([name, field]) => [`header ${onOneLine(name)}`, text(field)]),
    [original ? 'value' : 'value (of the operator)', text(value)],
    ...(sourceValue === undefined ? [] : [['value (of the source)', text(sourceValue)]]),
  ])
}

function text(field: unknown): string {
  return field === null ? '–' : onOneLine(typeof field === 'string' ? field : jsonText(field))
}

function placeText({ source }: LetterFields): string {
  return source === null ? '–' : `${source.topic}/${source.partition}@${source.offset}`
}
