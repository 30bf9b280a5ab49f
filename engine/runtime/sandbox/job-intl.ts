import type { EpochMs } from '../../model/record.ts'

type Formatter = new (locales?: unknown, options?: Record<string, unknown>) => object

/** The `Intl` that job code sees: the default locale is en-US and the default time zone UTC, whatever those of the process. */
export function jobIntl(present: { readonly time: EpochMs }): typeof Intl {
  const bound: object = Object.create(Intl)
  for (const name of Object.getOwnPropertyNames(Intl)) {
    const original: unknown = Intl[name as keyof typeof Intl]
    if (typeof original !== 'function' || !('supportedLocalesOf' in original)) continue
    const value = name === 'DateTimeFormat' ? dateTimeFormat(present) : withLocale(original as unknown as Formatter, (options) => options)
    Object.defineProperty(bound, name, { value, writable: true, configurable: true })
  }
  return bound as typeof Intl
}

function withLocale(original: Formatter, optionsOf: (options?: Record<string, unknown>) => Record<string, unknown> | undefined): Formatter {
  function JobFormatter(locales?: unknown, options?: Record<string, unknown>): object {
    return Reflect.construct(original, [locales ?? 'en-US', optionsOf(options)], new.target ?? JobFormatter)
  }
  Object.setPrototypeOf(JobFormatter, original)
  JobFormatter.prototype = Object.create(original.prototype, { constructor: { value: JobFormatter, writable: true, configurable: true } })
  return JobFormatter as unknown as Formatter
}

function dateTimeFormat(present: { readonly time: EpochMs }): Formatter {
  const bound = withLocale(Intl.DateTimeFormat as unknown as Formatter, (options) => ({ ...options, timeZone: options?.timeZone ?? 'UTC' }))
  const formatOf = Object.getOwnPropertyDescriptor(Intl.DateTimeFormat.prototype, 'format')!.get!
  Object.defineProperties(bound.prototype, {
    format: {
      configurable: true,
      get(this: Intl.DateTimeFormat) {
        const format = formatOf.call(this) as (date: unknown) => string
        return (date: unknown = present.time) => format(date)
      },
    },
    formatToParts: {
      configurable: true,
      writable: true,
      value(this: Intl.DateTimeFormat, date: Date | number = present.time) {
        return Intl.DateTimeFormat.prototype.formatToParts.call(this, date)
      },
    },
  })
  return bound
}
