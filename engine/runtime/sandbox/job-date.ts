import type { EpochMs } from '../../model/record.ts'
import { utcTimeOf } from './utc-time.ts'

/**
 * The `Date` that job code sees: without arguments it is the present time of the record at hand, and local time is UTC, whatever the
 * time zone of the process. Its instances are instances of the host's Date, and the host's are accepted by `instanceof`.
 */
export function jobDate(present: { readonly time: EpochMs }): DateConstructor {
  function JobDate(...parts: unknown[]): unknown {
    if (new.target === undefined) return utcString(new Date(present.time))
    return Reflect.construct(Date, [timeOf(parts)], new.target)
  }
  function timeOf(parts: readonly unknown[]): number {
    if (parts.length === 0) return present.time
    if (parts.length > 1) return Date.UTC(...(parts as [number, number]))
    const value = primitiveOf(parts[0])
    return typeof value === 'string' ? utcTimeOf(value) : (value as number)
  }
  const prototype = Object.create(Date.prototype, localMethods)
  Object.defineProperty(prototype, 'constructor', { value: JobDate, writable: true, configurable: true })
  Object.defineProperties(JobDate, {
    name: { value: 'Date' },
    length: { value: 7 },
    prototype: { value: prototype, writable: false },
    now: method(() => present.time),
    parse: method((text: unknown) => utcTimeOf(String(text))),
    UTC: method(Date.UTC),
    [Symbol.hasInstance]: method(function (this: unknown, value: unknown) {
      if (this === JobDate) return value instanceof Date
      return Function.prototype[Symbol.hasInstance].call(this as () => void, value)
    }),
  })
  return JobDate as unknown as DateConstructor
}

function primitiveOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return value.getTime()
  const plain: unknown = value.valueOf()
  return typeof plain === 'object' ? String(value) : plain
}

const fields = ['FullYear', 'Month', 'Date', 'Day', 'Hours', 'Minutes', 'Seconds', 'Milliseconds'] as const

const localMethods: PropertyDescriptorMap = {
  ...Object.fromEntries(fields.map((field) => [`get${field}`, method(Date.prototype[`getUTC${field}`])])),
  ...Object.fromEntries(fields.flatMap((field) => (field === 'Day' ? [] : [[`set${field}`, method(Date.prototype[`setUTC${field}`])]]))),
  getYear: method(function (this: Date) {
    return this.getUTCFullYear() - 1900
  }),
  setYear: method(function (this: Date, year: number) {
    return this.setUTCFullYear(year >= 0 && year <= 99 ? 1900 + Math.trunc(year) : year)
  }),
  getTimezoneOffset: method(function (this: Date) {
    return Number.isNaN(this.getTime()) ? Number.NaN : 0
  }),
  toString: method(function (this: Date) {
    return utcString(this)
  }),
  toDateString: method(function (this: Date) {
    return Number.isNaN(this.getTime()) ? 'Invalid Date' : dayText(this)
  }),
  toTimeString: method(function (this: Date) {
    return Number.isNaN(this.getTime()) ? 'Invalid Date' : timeText(this)
  }),
  ...Object.fromEntries(
    (['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString'] as const).map((name) => [
      name,
      method(function (this: Date, locales?: string, options?: Intl.DateTimeFormatOptions) {
        return Date.prototype[name].call(this, locales ?? 'en-US', { ...options, timeZone: options?.timeZone ?? 'UTC' })
      }),
    ]),
  ),
}

function method(value: unknown): PropertyDescriptor {
  return { value, writable: true, configurable: true, enumerable: false }
}

function utcString(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'Invalid Date' : `${dayText(date)} ${timeText(date)}`
}

/** `Thu Jan 01 1970`, of `Thu, 01 Jan 1970 00:00:00 GMT`. */
function dayText(date: Date): string {
  const [weekday, day, month, year] = date.toUTCString().replace(',', '').split(' ')
  return `${weekday} ${month} ${day} ${year}`
}

function timeText(date: Date): string {
  return `${date.toUTCString().split(' ')[4]} GMT+0000 (Coordinated Universal Time)`
}
