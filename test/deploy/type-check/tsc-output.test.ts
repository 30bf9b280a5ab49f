import { expect, test } from 'vitest'
import { problemsOf } from '../../../deploy/type-check/tsc-output.ts'

test('errors are read with their places, and with the lines that explain them', () => {
  const output = `
jobs/my (old) job.ts(24,9): error TS2345: Argument of type 'A' is not assignable to parameter of type 'B'.
  Types of property 'x' are incompatible.
    Property 'y' is missing.
other.ts(1,1): error TS1005: ';' expected.
`
  expect(problemsOf(output)).toEqual([
    {
      file: 'jobs/my (old) job.ts',
      line: 24,
      column: 9,
      code: 'TS2345',
      message:
        "Argument of type 'A' is not assignable to parameter of type 'B'. Types of property 'x' are incompatible. Property 'y' is missing.",
    },
    { file: 'other.ts', line: 1, column: 1, code: 'TS1005', message: "';' expected." },
  ])
})

test('an error without a place is one of the settings', () => {
  expect(problemsOf("error TS2688: Cannot find type definition file for 'x'.\n  The file is in the program because:\r\n")).toEqual([
    {
      file: undefined,
      line: undefined,
      column: undefined,
      code: 'TS2688',
      message: "Cannot find type definition file for 'x'. The file is in the program because:",
    },
  ])
})

test('what is no error counts for nothing', () => {
  expect(problemsOf('')).toEqual([])
  expect(problemsOf('  indented\nVersion 7.0.2\nTypeError: x is not a function\n    at run (tsc.js:1:1)\n')).toEqual([])
})
