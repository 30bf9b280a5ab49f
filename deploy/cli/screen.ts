/** Codes that paint, which take no room. */
const paints = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g')

const widthOf = (text: string): number => text.replaceAll(paints, '').length

/** Rows of a screen that a text takes: a line that is too long takes several. */
export function rowsOf(text: string, columns: number): number {
  const lines = text.split('\n').slice(0, -1)
  return lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(widthOf(line) / columns)), 0)
}

/** Puts parts behind each other as long as they fit into the columns, and goes on below the first one. Parts themselves stay whole. */
export function wrapped(label: string, parts: readonly string[], between: string, columns: number): string {
  const indent = ' '.repeat(widthOf(label))
  const lines: string[] = []
  let line = label
  let empty = true
  for (const part of parts) {
    const longer = empty ? line + part : line + between + part
    if (!empty && widthOf(longer) > columns) {
      lines.push((line + between).trimEnd())
      line = indent + part
    } else line = longer
    empty = false
  }
  return [...lines, line].join('\n')
}
