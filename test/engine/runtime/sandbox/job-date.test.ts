import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { jobDate } from '../../../../engine/runtime/sandbox/job-date.ts'
import { utcTimeOf } from '../../../../engine/runtime/sandbox/utc-time.ts'

const zones = ['UTC', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe']
const zoneAtStart = process.env.TZ
afterAll(() => setZone(zoneAtStart))

describe('the Date of a job', () => {
  const present = { time: Date.UTC(2024, 2, 10, 7, 30, 15, 123) }
  const JobDate = jobDate(present)

  test('takes the present time from the cell, not from the clock', () => {
    present.time = 1000
    expect([JobDate.now(), new JobDate().getTime(), JobDate()]).toEqual([
      1000,
      1000,
      'Thu Jan 01 1970 00:00:01 GMT+0000 (Coordinated Universal Time)',
    ])
    present.time = 2000
    expect([JobDate.now(), new JobDate().getTime()]).toEqual([2000, 2000])
  })

  test('is a Date to the host, and the dates of the host are its instances', () => {
    expect(new JobDate(5)).toBeInstanceOf(Date)
    expect(new Date(5) instanceof JobDate).toBe(true)
    expect({} instanceof JobDate).toBe(false)
    expect(structuredClone(new JobDate(5))).toEqual(new Date(5))
    expect(JSON.stringify(new JobDate(5))).toBe('"1970-01-01T00:00:00.005Z"')
  })

  test('can be extended', () => {
    class Day extends JobDate {
      next(): Day {
        return new Day(this.getTime() + 86_400_000)
      }
    }
    const day = new Day(0).next()
    expect([day instanceof Day, day instanceof JobDate, day.getDate()]).toEqual([true, true, 2])
    expect(new JobDate(0) instanceof Day).toBe(false)
  })

  test('is made of a number, a text, a date, or fields, as the language says', () => {
    present.time = 0
    const of = (...parts: unknown[]) => Reflect.construct(JobDate, parts).getTime()
    expect(of(12)).toBe(12)
    expect(of('12')).toBe(utcTimeOf('12'))
    expect(of(new Date(7))).toBe(7)
    expect(of(new JobDate(8))).toBe(8)
    expect(of({ valueOf: () => 9 })).toBe(9)
    expect(of({ toString: () => '1970-01-02' })).toBe(86_400_000)
    expect(of(null)).toBe(0)
    expect(of(undefined)).toBeNaN()
    expect(of(2024, 1, 29, 12)).toBe(Date.UTC(2024, 1, 29, 12))
    expect(of(99, 0)).toBe(Date.UTC(1999, 0))
    expect(() => of(1n)).toThrow(TypeError)
  })

  test('says "Invalid Date" where the language does', () => {
    const none = new JobDate(Number.NaN)
    expect([`${none}`, none.toDateString(), none.toTimeString(), none.getTimezoneOffset(), none.getYear()]).toEqual([
      'Invalid Date',
      'Invalid Date',
      'Invalid Date',
      Number.NaN,
      Number.NaN,
    ])
  })

  test('gives in every time zone what the host gives in UTC', () => {
    setZone('UTC')
    const times = [
      0,
      -1,
      Date.UTC(2024, 2, 10, 7, 30, 15, 123),
      Date.UTC(2024, 10, 3, 5, 59),
      Date.UTC(-5, 1, 1),
      Date.UTC(12345, 6, 7),
      Number.NaN,
    ]
    const expected = times.map((time) => everythingOf(Date, time))
    for (const zone of zones) {
      setZone(zone)
      expect(
        times.map((time) => everythingOf(JobDate, time)),
        zone,
      ).toEqual(expected)
    }
  })

  test('the time zones of this test do differ for the host', () => {
    const offsets = zones.map((zone) => {
      setZone(zone)
      return new Date(0).getTimezoneOffset()
    })
    expect(new Set(offsets).size).toBe(zones.length)
  })
})

describe('the time of a text', () => {
  test('without a zone is that in UTC', () => {
    for (const zone of zones) {
      setZone(zone)
      expect(utcTimeOf('2024-03-10T02:30:00'), zone).toBe(Date.UTC(2024, 2, 10, 2, 30))
      expect(utcTimeOf('2024-03-10 02:30'), zone).toBe(Date.UTC(2024, 2, 10, 2, 30))
      expect(utcTimeOf('2024-03'), zone).toBe(Date.UTC(2024, 2))
      expect(utcTimeOf('Mar 10, 2024 02:30'), zone).toBe(Date.UTC(2024, 2, 10, 2, 30))
      expect(utcTimeOf('3/10/2024'), zone).toBe(Date.UTC(2024, 2, 10))
    }
  })

  test('with a zone is the time in that zone', () => {
    for (const zone of zones) {
      setZone(zone)
      expect(utcTimeOf('2024-03-10T02:30:00+02:00'), zone).toBe(Date.UTC(2024, 2, 10, 0, 30))
      expect(utcTimeOf('2024-03-10 02:30 -0500'), zone).toBe(Date.UTC(2024, 2, 10, 7, 30))
      expect(utcTimeOf('Sun, 10 Mar 2024 02:30:00 GMT'), zone).toBe(Date.UTC(2024, 2, 10, 2, 30))
      expect(utcTimeOf('Sun Mar 10 2024 02:30:00 GMT+0100 (Central European Standard Time)'), zone).toBe(Date.UTC(2024, 2, 10, 1, 30))
      expect(utcTimeOf('Mar 10 2024 02:30 EST'), zone).toBe(Date.UTC(2024, 2, 10, 7, 30))
      expect(utcTimeOf('Mar 10 2024 02:30 (EST)'), zone).toBe(Date.UTC(2024, 2, 10, 2, 30))
    }
  })

  test('of no date is not a number', () => {
    for (const text of ['', 'soon', '2024-13-01', '2024-01-01T25:00', 'UTC']) expect(utcTimeOf(text), text).toBeNaN()
  })

  test('never depends on the time zone of the process', () => {
    const day = fc.constantFrom(
      '2024-03-10',
      '2024/3/10',
      'Mar 10 2024',
      '10 March 2024',
      '3-10-2024',
      'Sun Mar 10 2024',
      '2024',
      '20240310',
      '2024-03-10T',
    )
    const time = fc.constantFrom('', '02:30', '2:30:15', '02:30:15.250', '2:30 pm', '02:30,', '2.30')
    const zone = fc.constantFrom(
      '',
      'Z',
      ' Z',
      ' UTC',
      ' GMT',
      'GMT+2',
      ' EST',
      ' (EST)',
      ' PDT',
      '+02:00',
      ' -0500',
      '-05',
      ' +5',
      ' CET',
      ' z',
      ' t',
      '(',
    )
    const order = fc.boolean()
    fc.assert(
      fc.property(day, time, zone, order, fc.constantFrom(' ', ''), (day, time, zone, dayFirst, gap) => {
        const text = dayFirst ? `${day}${gap}${time}${zone}` : `${time}${gap}${day}${zone}`
        const seen = zones.map((name) => {
          setZone(name)
          return utcTimeOf(text)
        })
        expect(new Set(seen).size, `${text}: ${seen}`).toBe(1)
      }),
      { numRuns: 3000 },
    )
  })
})

/** Setting the variable resets the zone of the process. */
function setZone(zone: string | undefined): void {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
}

function everythingOf(Made: DateConstructor, time: number): unknown[] {
  const fields = ['FullYear', 'Month', 'Date', 'Hours', 'Minutes', 'Seconds', 'Milliseconds'] as const
  const date = () => new Made(time)
  const locale = { dateStyle: 'full', timeStyle: 'long' } as const
  return [
    ...fields.flatMap((field) => {
      const changed = date()
      return [date()[`get${field}`](), changed[`set${field}`](3), changed.getTime()]
    }),
    date().getDay(),
    date().getYear(),
    date().getTimezoneOffset(),
    date().setYear(77),
    date().setHours(1, 2, 3, 4),
    date().setFullYear(2020, 1, 29),
    `${date()}`,
    date().toString(),
    date().toDateString(),
    date().toTimeString(),
    date().toUTCString(),
    date().toJSON(),
    Number(date()),
    date().toLocaleString(),
    date().toLocaleDateString('de'),
    date().toLocaleTimeString('en-GB'),
    Number.isNaN(time) || date().toLocaleString('en-US', locale),
    new Made(2024, 2, 10, 2, 30).getTime(),
    new Made('2024-03-10T02:30').getTime(),
    Made.parse('Mar 10, 2024 02:30'),
  ]
}

declare global {
  interface Date {
    getYear(): number
    setYear(year: number): number
  }
}
