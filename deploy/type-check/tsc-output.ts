/** One complaint of the compiler. */
export interface TypeProblem {
  /** As the compiler named it; undefined: it is about the settings, not about a place. */
  readonly file: string | undefined
  readonly line: number | undefined
  readonly column: number | undefined
  /** TS2345, for example. */
  readonly code: string
  /** With what explains it, which the compiler puts on lines of its own. */
  readonly message: string
}

/** Reads what `tsc --pretty false` prints; lines that are no errors count for nothing. Pure. */
export function problemsOf(output: string): TypeProblem[] {
  const problems: TypeProblem[] = []
  for (const line of output.split(/\r?\n/)) {
    const found = /^(?:(.+)\((\d+),(\d+)\): )?error (TS\d+): (.*)$/.exec(line)
    const last = problems.at(-1)
    if (found !== null) {
      const [, file, at, column, code, message] = found
      problems.push({ file, line: at && Number(at), column: column && Number(column), code, message } as TypeProblem)
    } else if (last !== undefined && /^\s+\S/.test(line))
      problems[problems.length - 1] = { ...last, message: `${last.message} ${line.trim()}` }
  }
  return problems
}
