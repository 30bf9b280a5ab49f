import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type ErrorCode, errorTable } from '../../engine/errors.ts'

const folder = new URL('../../docs/errors/', import.meta.url)
const codes = Object.keys(errorTable) as ErrorCode[]

test('there is one page for each code, and no other', () => {
  expect(readdirSync(folder).sort()).toEqual(codes.map((code) => `${code}.md`).sort())
})

describe.each(codes)('the page of %s', (code) => {
  const page = readFileSync(new URL(`${code}.md`, folder), 'utf8')

  test('has the code as its title and the table row below it', () => {
    const { retry, text } = errorTable[code]
    const [title, , lead] = page.split('\n')
    expect(title).toBe(`# ${code}`)
    expect(lead!.slice(1)).toContain(`${text.slice(1)}. Retry: \`${retry}\``)
  })

  test('says what happened, why, and what to do, in this order', () => {
    expect(page.match(/^## .*/gm)).toEqual(['## What happened', '## Why', '## Fix', '## See also'])
    for (const section of page.split(/^## .*\n/m).slice(1)) expect(section.trim().length).toBeGreaterThan(10)
  })

  test('links to other pages that exist', () => {
    const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link!)
    expect(links.length).toBeGreaterThan(0)
    for (const link of links) expect([...codes.map((other) => `${other}.md`)]).toContain(link)
    expect(links).not.toContain(`${code}.md`)
  })
})
