export const inputFormats = ['ndjson', 'json', 'csv'] as const
export type InputFormat = (typeof inputFormats)[number]

/** The name of standard input on the command line. */
export const standardInput = '-'
