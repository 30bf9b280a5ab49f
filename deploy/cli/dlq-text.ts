import type { DeadLetter } from '../../replay/dead-letters.ts'
import { bytesField, timeText, valueField } from './record-fields.ts'
import { table } from './verb.ts'

const messageCharactersMax = 80

/** A dead letter as JSON. */
export function fieldsOf({ id, code, path, message, operator, source, derived, setAsideAt, record, decision }: DeadLetter) {
  return {
    id,
    state: decision?.type ?? 'open',
    ...(decision === undefined ? {} : { decidedAt: timeText(decision.at) }),
    source: source ?? null,
    code,
    path,
    operator,
    message,
    setAsideAt: timeText(setAsideAt),
    eventTime: timeText(record.eventTime),
    key: bytesField(record.key),
    value: valueField(record.value),
    /** False: the value is what the operator was given, not the source record's bytes. */
    original: !derived,
    headers: record.headers.filter(({ name }) => !name.startsWith('reprise.')).map(({ name, value }) => [name, bytesField(value)]),
  }
}

/** A row of the list; the message cut to one line. */
export function lineText(letter: DeadLetter, withState: boolean): string[] {
  const { id, code, path, message, operator, setAsideAt, decision } = letter
  const line = message.split('\n')[0]!
  const shown = line.length > messageCharactersMax ? `${line.slice(0, messageCharactersMax - 1)}…` : line
  return [
    String(id),
    placeText(letter),
    code,
    path,
    operator,
    timeText(setAsideAt) ?? '–',
    ...(withState ? [decision?.type ?? 'open'] : []),
    shown,
  ]
}

export function wholeText(letter: DeadLetter): string {
  const { id, code, path, message, operator, derived, setAsideAt, record, decision } = letter
  const text = (bytes: Uint8Array | null) => {
    const field = bytesField(bytes)
    return field === null ? '–' : typeof field === 'string' ? field : JSON.stringify(field)
  }
  return table([
    ['id', String(id)],
    ['state', decision === undefined ? 'open' : `${decision.type} ${timeText(decision.at)}`],
    ['source', placeText(letter)],
    ['error', code],
    ['field', path],
    ['operator', operator],
    ['message', message],
    ['set aside', timeText(setAsideAt) ?? '–'],
    ['event time', timeText(record.eventTime) ?? '–'],
    ['key', text(record.key)],
    ...record.headers.filter(({ name }) => !name.startsWith('reprise.')).map(({ name, value }) => [`header ${name}`, text(value)]),
    [derived ? 'value (of the operator)' : 'value', text(record.value)],
  ])
}

function placeText({ source }: DeadLetter): string {
  return source === undefined ? '–' : `${source.topic}/${source.partition}@${source.offset}`
}
