import { describe, expect, test } from 'vitest'
import { judge, sessionWindows, slidingWindows } from '../../examples/reference.ts'

interface Event {
  readonly key: string
  readonly at: number
}
const events = (text: string): Event[] => text.split(' ').map((word) => ({ key: word[0]!, at: Number(word.slice(1)) }))
const fold = { key: ({ key }: Event) => key, begin: () => 0, add: (count: number) => count + 1 }
const at = ({ at: time }: Event) => time
const show = ({
  windows,
  late,
}: {
  windows: readonly { key: unknown; start: number; end: number; result: number }[]
  late: readonly Event[]
}) => ({
  windows: windows.map(({ key, start, end, result }) => `${key}[${start},${end})=${result}`).join(' '),
  late: late.map(({ key, at: time }) => `${key}${time}`).join(' '),
})

describe('stamps', () => {
  test('a stamp is the highest event time before in the same partition, minus the out-of-orderness', () => {
    const judged = judge([events('a10 a30 a20 a40'), events('a5')], at, 3)
    expect(judged.map(({ stamp }) => stamp)).toEqual([Number.NEGATIVE_INFINITY, 7, 27, 27, Number.NEGATIVE_INFINITY])
  })
})

describe('tumbling and sliding windows', () => {
  const sliding = (text: string, slideMs: number, allowedLatenessMs = 0, outOfOrdernessMs = 0) =>
    show(slidingWindows(judge([events(text)], at, outOfOrdernessMs), { sizeMs: 10, slideMs, allowedLatenessMs }, fold))

  test('a window takes its start and not its end', () => {
    expect(sliding('a0 a9 a10 b10', 10).windows).toBe('a[0,10)=2 a[10,20)=1 b[10,20)=1')
  })

  test('a sliding record counts in every window around it, also before 1970', () => {
    expect(sliding('a4', 5).windows).toBe('a[-5,5)=1 a[0,10)=1')
  })

  test('a window is open to a record iff its end + allowed lateness is above the stamp', () => {
    expect(sliding('a9 a10 a9', 10)).toEqual({ windows: 'a[0,10)=1 a[10,20)=1', late: 'a9' })
    expect(sliding('a9 a9 a9', 10).windows).toBe('a[0,10)=3')
    expect(sliding('a9 a12 a9', 10, 2)).toEqual({ windows: 'a[0,10)=1 a[10,20)=1', late: 'a9' })
    expect(sliding('a9 a12 a9', 10, 3)).toEqual({ windows: 'a[0,10)=2 a[10,20)=1', late: '' })
    expect(sliding('a9 a12 a9', 10, 0, 3)).toEqual({ windows: 'a[0,10)=2 a[10,20)=1', late: '' })
  })

  test('a record that is late for some of its windows counts in the others', () => {
    expect(sliding('a12 a8', 5)).toEqual({ windows: 'a[5,15)=2 a[10,20)=1', late: '' })
  })

  test('what one partition has seen makes nothing late in another', () => {
    const judged = judge([events('a95'), events('a1')], at, 0)
    expect(show(slidingWindows(judged, { sizeMs: 10, slideMs: 10 }, fold))).toEqual({ windows: 'a[0,10)=1 a[90,100)=1', late: '' })
  })
})

describe('sessions', () => {
  const sessions = (text: string, allowedLatenessMs = 0) =>
    show(sessionWindows(judge([events(text)], at, 0), { gapMs: 10, allowedLatenessMs }, fold))

  test('records less than the gap apart share a session, whatever their order', () => {
    expect(sessions('a0 b0 a9 a19 a28', 0).windows).toBe('b[0,10)=1 a[0,19)=2 a[19,38)=2')
    expect(sessions('a16 a0 a8', 20).windows).toBe('a[0,26)=3')
  })

  test('a record is late iff event time + allowed lateness is below the stamp, before any merging', () => {
    expect(sessions('a5 a6 a5')).toEqual({ windows: 'a[5,16)=2', late: 'a5' })
    expect(sessions('a5 a6 a5', 1)).toEqual({ windows: 'a[5,16)=3', late: '' })
  })
})
